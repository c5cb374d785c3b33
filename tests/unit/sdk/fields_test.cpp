// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <patchbay/fields.hpp>

namespace {

using patchbay::from_json_value;
using patchbay::json;
using patchbay::ordered_json;

enum class Unit { metric, imperial };
PATCHBAY_ENUM(Unit, {Unit::metric, "metric"}, {Unit::imperial, "imperial"})

struct Stop {
    std::string city;
    double nights = 0;
};
PATCHBAY_STRUCT(Stop, PATCHBAY_FIELD(city).min_length(2).max_length(4),
                PATCHBAY_FIELD(nights).above(0).below(30).multiple_of(0.5))

struct Trip {
    std::string name;
    std::optional<int> days;
    std::uint8_t people = 0;
    Unit unit = Unit::metric;
    std::vector<Stop> stops;
    std::map<std::string, bool> flags;
    std::optional<Stop> extra;
    json any;
    std::string kind;
};
PATCHBAY_STRUCT(Trip, PATCHBAY_FIELD(name, "Its name").title("Name").pattern("^[a-z]+$"),
                PATCHBAY_FIELD(days, "How long").minimum(1).maximum(14).default_value(3),
                PATCHBAY_FIELD(people).header("People").example(2),
                PATCHBAY_FIELD(unit, "Units").default_value(Unit::imperial),
                PATCHBAY_FIELD(stops).min_items(1).max_items(2),
                PATCHBAY_FIELD(flags).max_items(1).default_value({}), PATCHBAY_FIELD(extra),
                PATCHBAY_FIELD(any).default_value(nullptr),
                patchbay::field("type", &Trip::kind, "Kind").one_of({"a", "b"}).default_value("a"))

struct Empty {};
PATCHBAY_STRUCT(Empty)

struct Endless {
    std::vector<Endless> inner;
};
PATCHBAY_STRUCT(Endless, PATCHBAY_FIELD(inner))

json trip() {
    return {{"name", "x"}, {"people", 2}, {"stops", {{{"city", "Oslo"}, {"nights", 1.5}}}}};
}

template <class T = Trip>
std::string complaint(const json& value) {
    try {
        from_json_value<T>(value, "Bad");
    } catch (const patchbay::Error& error) {
        EXPECT_EQ(error.code(), "invalid_arguments");
        EXPECT_EQ(error.category(), patchbay::Category::validation);
        return error.what();
    }
    return "";
}

std::string complaint_with(const char* name, const json& value) {
    json in = trip();
    in[name] = value;
    return complaint(in);
}

TEST(Fields, SchemaSaysEverything) {
    const auto expected = ordered_json::parse(R"({
      "type":"object",
      "properties":{
        "name":{"type":"string","description":"Its name","title":"Name","pattern":"^[a-z]+$"},
        "days":{"type":"integer","description":"How long","minimum":1,"maximum":14,"default":3},
        "people":{"type":"integer","x-mcp-header":"People","examples":[2]},
        "unit":{"type":"string","enum":["metric","imperial"],"description":"Units",
                "default":"imperial"},
        "stops":{"type":"array","items":{"type":"object","properties":{
            "city":{"type":"string","minLength":2,"maxLength":4},
            "nights":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":30,
                      "multipleOf":0.5}},
            "required":["city","nights"],"additionalProperties":false},
          "minItems":1,"maxItems":2},
        "flags":{"type":"object","additionalProperties":{"type":"boolean"},"maxProperties":1,
                 "default":{}},
        "extra":{"type":"object","properties":{
            "city":{"type":"string","minLength":2,"maxLength":4},
            "nights":{"type":"number","exclusiveMinimum":0,"exclusiveMaximum":30,
                      "multipleOf":0.5}},
            "required":["city","nights"],"additionalProperties":false},
        "any":{"default":null},
        "type":{"type":"string","description":"Kind","enum":["a","b"],"default":"a"}},
      "required":["name","people","stops"],
      "additionalProperties":false})");
    EXPECT_EQ(patchbay::schema_of<Trip>().dump(2), expected.dump(2));
}

TEST(Fields, SchemaOfNoFields) {
    EXPECT_EQ(patchbay::schema_of<Empty>().dump(),
              R"({"type":"object","properties":{},"additionalProperties":false})");
    EXPECT_EQ(complaint<Empty>({{"x", 1}}), "Bad: x is not known; there are no members");
}

TEST(Fields, ReadsAndFillsIn) {
    const auto out = from_json_value<Trip>(trip());
    EXPECT_EQ(out.name, "x");
    EXPECT_EQ(out.days, 3);
    EXPECT_EQ(out.people, 2);
    EXPECT_EQ(out.unit, Unit::imperial);
    ASSERT_EQ(out.stops.size(), 1u);
    EXPECT_EQ(out.stops[0].nights, 1.5);
    EXPECT_FALSE(out.extra);
    EXPECT_EQ(out.kind, "a");
}

TEST(Fields, WritesWhatItReads) {
    auto in = from_json_value<Trip>(trip());
    in.flags["f"] = true;
    in.extra = Stop{"Rome", 2};
    const json written = patchbay::to_json_value(in);
    EXPECT_EQ(written, json::parse(R"({"name":"x","days":3,"people":2,"unit":"imperial",
        "stops":[{"city":"Oslo","nights":1.5}],"flags":{"f":true},
        "extra":{"city":"Rome","nights":2.0},"any":null,"type":"a"})"));
    EXPECT_EQ(patchbay::to_json_value(from_json_value<Trip>(written)), written);
}

TEST(Fields, NullStandsForAnAbsentOptional) {
    json in = trip();
    in["extra"] = nullptr;
    EXPECT_FALSE(from_json_value<Trip>(in).extra);
}

TEST(Fields, WholeNumbersMayBeWrittenAsFractions) {
    json in = trip();
    in["days"] = 4.0;
    EXPECT_EQ(from_json_value<Trip>(in).days, 4);
}

TEST(Fields, SaysPreciselyWhatIsWrong) {
    EXPECT_EQ(complaint_with("name", 5), "Bad: name must be a string, not a number");
    EXPECT_EQ(complaint_with("days", 20), "Bad: days must be at most 14, not 20");
    EXPECT_EQ(complaint_with("days", 0), "Bad: days must be at least 1, not 0");
    EXPECT_EQ(complaint_with("days", 2.5), "Bad: days must be an integer, not 2.5");
    EXPECT_EQ(complaint_with("days", "2"), "Bad: days must be an integer, not a string");
    EXPECT_EQ(complaint_with("people", 256), "Bad: people must be between 0 and 255");
    EXPECT_EQ(complaint_with("people", -1), "Bad: people must be between 0 and 255");
    EXPECT_EQ(complaint_with("people", 1e300), "Bad: people must be between 0 and 255");
    EXPECT_EQ(complaint_with("unit", "feet"), R"(Bad: unit must be one of "metric", "imperial")");
    EXPECT_EQ(complaint_with("type", "c"), R"(Bad: type must be one of "a", "b")");
    EXPECT_EQ(complaint_with("stops", json::array()), "Bad: stops must have at least 1 item");
    EXPECT_EQ(complaint_with("stops", {{{"city", "O"}, {"nights", 1}}}),
              "Bad: stops[0].city must have at least 2 characters");
    EXPECT_EQ(complaint_with("stops", {{{"city", "Bergen"}, {"nights", 1}}}),
              "Bad: stops[0].city must have at most 4 characters, not 6");
    EXPECT_EQ(complaint_with("stops", {{{"city", "Oslo"}, {"nights", 0}}}),
              "Bad: stops[0].nights must be greater than 0, not 0");
    EXPECT_EQ(complaint_with("stops", {{{"city", "Oslo"}, {"nights", 30}}}),
              "Bad: stops[0].nights must be less than 30, not 30");
    EXPECT_EQ(complaint_with("stops", {{{"city", "Oslo"}, {"nights", 0.7}}}),
              "Bad: stops[0].nights must be a multiple of 0.5, not 0.7");
    EXPECT_EQ(complaint_with("flags", {{"a", 1}}), "Bad: flags.a must be a boolean, not a number");
    EXPECT_EQ(complaint_with("flags", {{"a", true}, {"b", true}}),
              "Bad: flags must have at most 1 item, not 2");
    EXPECT_EQ(complaint_with("extra", json::array()), "Bad: extra must be an object, not an array");
    EXPECT_EQ(complaint(json::array()), "Bad: the value must be an object, not an array");
}

TEST(Fields, NamesUnknownMembersAndAllFaultsAtOnce) {
    EXPECT_EQ(complaint_with("dayz", 1),
              "Bad: dayz is not known; known are \"name\", \"days\", \"people\", \"unit\", "
              "\"stops\", \"flags\", \"extra\", \"any\", \"type\"");
    EXPECT_EQ(complaint({{"days", 99}}),
              "Bad: name is missing; days must be at most 14, not 99; people is missing; stops is "
              "missing");
}

TEST(Fields, ManyFaultsAreCounted) {
    json in = trip();
    in["flags"] = json::object();
    for (int i = 0; i < 20; ++i)
        in["flags"]["f" + std::to_string(i)] = 1;
    const auto text = complaint(in);
    EXPECT_NE(text.find("and 12 more"), std::string::npos) << text;
}

TEST(Fields, LengthIsCountedInCodePoints) {
    json in = trip();
    in["stops"][0]["city"] = "Åäöü";
    EXPECT_EQ(from_json_value<Trip>(in).stops[0].city, "Åäöü");
}

TEST(Fields, ATypeThatContainsItselfIsRefused) {
    EXPECT_THROW(patchbay::schema_of<Endless>(), std::logic_error);
}

}  // namespace
