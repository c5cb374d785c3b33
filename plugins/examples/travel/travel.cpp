// SPDX-License-Identifier: Apache-2.0
// Example: a plugin that talks with people. The tool asks the traveller by a form, a resource and a
// resource template describe destinations, a prompt puts a conversation on its way, and completion
// helps to fill both in.
#include <patchbay/plugin.hpp>

namespace {

struct City {
    const char* name;
    const char* about;
    int price;  // of one night, in euros
};
constexpr City cities[] = {
    {"Bergen", "Seven mountains, a fjord, and rain on two days of three.", 140},
    {"Bologna", "Arcades for forty kilometres, and the food that they lead to.", 95},
    {"Lisbon", "Hills, tiles and trams; the light of the Tagus.", 110},
    {"Ljubljana", "A small capital with a dragon on its bridge.", 85},
};

std::vector<std::string> city_names() {
    std::vector<std::string> out;
    for (const auto& city : cities)
        out.emplace_back(city.name);
    return out;
}

const City* find_city(std::string_view name) {
    for (const auto& city : cities) {
        if (city.name == name) return &city;
    }
    return nullptr;
}

enum class Room { single, twin };
PATCHBAY_ENUM(Room, {Room::single, "single"}, {Room::twin, "double"})

struct BookInput {
    std::string city;
};
PATCHBAY_STRUCT(BookInput, PATCHBAY_FIELD(city, "Where to").one_of(city_names()))

// What the form asks for.
struct Details {
    std::string arrival;
    int nights = 0;
    Room room = Room::single;
};
PATCHBAY_STRUCT(Details, PATCHBAY_FIELD(arrival), PATCHBAY_FIELD(nights), PATCHBAY_FIELD(room))

struct Booking {
    std::string city;
    std::string arrival;
    int nights = 0;
    int total_price = 0;
};
PATCHBAY_STRUCT(Booking, PATCHBAY_FIELD(city), PATCHBAY_FIELD(arrival, "Date of arrival"),
                PATCHBAY_FIELD(nights), PATCHBAY_FIELD(total_price, "In euros"))

patchbay::Question ask_details(const City& city) {
    return patchbay::elicit_form(
        std::string("When do you want to be in ") + city.name + "?",
        {patchbay::text_field("arrival").title("Arrival").format("date"),
         patchbay::integer_field("nights").title("Nights").minimum(1).maximum(28).default_value(3),
         patchbay::titled_choice_field("room",
                                       {{"single", "Single room"}, {"double", "Double room"}})
             .title("Room")
             .default_value("single")});
}

// Runs from its start again after every answer; so it books only when all of them are there.
Booking book(const BookInput& in, patchbay::Call& call) {
    const City& city = *find_city(in.city);
    const auto answer = call.ask("details", ask_details(city));
    if (!answer.accepted())
        throw patchbay::Error("not_booked", "The traveller did not want to book");
    const auto details = answer.as<Details>();
    if (details.nights < 1 || details.nights > 28) call.ask_again("details", ask_details(city));

    Booking booking{in.city, details.arrival, details.nights,
                    details.nights * city.price * (details.room == Room::twin ? 3 : 2) / 2};
    const auto agreed = call.ask(
        "agreed", patchbay::elicit_form(
                      "That is " + std::to_string(booking.total_price) + " euros in all. Book it?",
                      {patchbay::boolean_field("book").title("Book it")}));
    if (!agreed.accepted() || !agreed.get<bool>("book")) {
        throw patchbay::Error("not_booked", "The traveller did not agree to the price");
    }
    return booking;
}

void offer_destinations(patchbay::Plugin& plugin) {
    std::string guide = "# Destinations\n\n";
    for (const auto& city : cities)
        guide += std::string("- ") + city.name + ": " + city.about + "\n";
    plugin.resource("travel://guide")
        .name("guide")
        .describe("All destinations")
        .mime_type("text/markdown")
        .text(std::move(guide));
    plugin.resource_template("travel://city/{name}")
        .name("city")
        .describe("One destination")
        .mime_type("text/plain")
        .complete("name", city_names())
        .read([](const patchbay::Variables& in) -> std::optional<std::string> {
            const City* city = find_city(in.at("name"));
            if (city == nullptr) return std::nullopt;
            return std::string(city->about) + " A night costs " + std::to_string(city->price) +
                   " euros.";
        });
}

}  // namespace

PATCHBAY_PLUGIN("travel", "1.0.0", plugin) {
    plugin.instructions("Read travel://guide before you suggest a destination.");
    plugin.tool("book_trip")
        .title("Book a trip")
        .describe("Books a stay; the traveller is asked for the dates and agrees to the price")
        .input<BookInput>()
        .output<Booking>()
        .handle(book);
    offer_destinations(plugin);
    plugin.prompt("plan_trip")
        .title("Plan a trip")
        .describe("Plans a few days in a city")
        .argument("city", "Where to")
        .optional_argument("interests", "What to look for, e.g. food or walking")
        .complete("city", city_names())
        .get([](const patchbay::Variables& in) -> patchbay::Messages {
            const auto interests = in.find("interests");
            std::string wish = "Plan three days in " + in.at("city") + " for me.";
            if (interests != in.end()) wish += " I am interested in " + interests->second + ".";
            patchbay::Messages out(wish);
            if (const City* city = find_city(in.at("city"))) {
                out.add(patchbay::user(patchbay::embedded_text(
                    std::string("travel://city/") + city->name, city->about)));
            }
            return out;
        });
}
