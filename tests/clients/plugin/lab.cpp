// SPDX-License-Identifier: Apache-2.0
// The lab: a plugin with one of everything that a client can use, for the tests with real clients.
// reference/lab.mjs is the same once more; change both.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <patchbay/plugin.hpp>
#include <set>
#include <string>

namespace {

using patchbay::Call;
using patchbay::json;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""h;

constexpr const char* note_uri = "memo://note";
constexpr const char* pixel_base64 =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg==";

struct SumInput {
    double a, b;
};
PATCHBAY_STRUCT(SumInput, PATCHBAY_FIELD(a, "The first number"),
                PATCHBAY_FIELD(b, "The second number"))
struct SumOutput {
    double sum;
};
PATCHBAY_STRUCT(SumOutput, PATCHBAY_FIELD(sum, "Both together"))
struct TextInput {
    std::string text;
};
PATCHBAY_STRUCT(TextInput, PATCHBAY_FIELD(text, "What to write"))
struct TagInput {
    std::string tag;
};
PATCHBAY_STRUCT(TagInput, PATCHBAY_FIELD(tag, "Names the occasion"))
struct CountInput {
    int count;
};
PATCHBAY_STRUCT(CountInput, PATCHBAY_FIELD(count, "How many").minimum(1).maximum(100))
struct QuestionInput {
    std::string question;
};
PATCHBAY_STRUCT(QuestionInput, PATCHBAY_FIELD(question, "What to ask the model"))

// What calls leave for others, for as long as the instance lives.
class Lab {
  public:
    std::string note() {
        const std::lock_guard lock(mutex_);
        return note_;
    }
    void write(const std::string& text) {
        const std::lock_guard lock(mutex_);
        note_ = text;
    }
    // The new state.
    bool toggle_sprout() {
        const std::lock_guard lock(mutex_);
        return sprout_ = !sprout_;
    }

    void raise(const std::string& flag) {
        const std::lock_guard lock(mutex_);
        raised_.insert(flag);
        changed_.notify_all();
    }
    // Returns when the flag is raised; throws Cancelled if the call ends before.
    void await(const std::string& flag, Call& call) {
        std::unique_lock lock(mutex_);
        while (!raised_.contains(flag)) {
            changed_.wait_for(lock, 50ms);
            lock.unlock();
            call.check();
            lock.lock();
        }
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::set<std::string> raised_;
    std::string note_ = "first";
    bool sprout_ = false;
};
using LabPtr = std::shared_ptr<Lab>;

patchbay::Bytes pixel() {
    patchbay::Bytes bytes;
    patchbay::base64_decode(pixel_base64, bytes);
    return bytes;
}

void add_plain_tools(patchbay::Plugin& plugin, const LabPtr& lab) {
    plugin.tool("sum")
        .title("Sum")
        .describe("Adds two numbers")
        .input<SumInput>()
        .output<SumOutput>()
        .read_only()
        .handle([](const SumInput& in) { return SumOutput{in.a + in.b}; });
    plugin.tool("gallery").describe("One block of every kind of content").handle([lab] {
        return patchbay::Result{patchbay::text("gallery"), patchbay::image(pixel(), "image/png"),
                                patchbay::audio({'R', 'I', 'F', 'F'}, "audio/wav"),
                                patchbay::embedded_text(note_uri, lab->note()),
                                patchbay::resource_link(note_uri, "note")};
    });
    plugin.tool("fail").describe("Always fails").handle([]() -> patchbay::Result {
        throw patchbay::Error("closed", "the lab is closed").transient(60);
    });
    plugin.tool("edit_note")
        .describe("Writes the note")
        .input<TextInput>()
        .handle([lab, &plugin](const TextInput& in) {
            lab->write(in.text);
            plugin.resource_updated(note_uri);
            return "done";
        });
    plugin.tool("toggle_sprout").describe("Adds a tool, or removes it").handle([lab, &plugin] {
        if (lab->toggle_sprout()) {
            plugin.tool("sprout").describe("Has just grown").handle([] { return "green"; });
        } else {
            plugin.remove_tool("sprout");
        }
        return "done";
    });
}

void add_asking_tools(patchbay::Plugin& plugin) {
    plugin.tool("ask_name").describe("Asks for a name").handle([](Call& call) -> std::string {
        const auto answer = call.ask(
            "answer", patchbay::elicit_form("What is your name?", {patchbay::text_field("name")}));
        if (answer.accepted()) return "accept " + answer.get<std::string>("name");
        return answer.declined() ? "decline" : "cancel";
    });
    plugin.tool("ask_trip").describe("Asks two things in turn").handle([](Call& call) {
        const auto ask = [&](const char* key, const char* message) {
            return call.ask(key, patchbay::elicit_form(message, {patchbay::text_field("value")}))
                .get<std::string>("value");
        };
        const std::string from = ask("from", "From?");
        return from + " to " + ask("to", "To?");
    });
    plugin.tool("ask_page").describe("Sends the user to a page").handle([](Call& call) {
        const auto answer =
            call.ask("answer", patchbay::elicit_url("Sign in", "https://example.com/sign-in"));
        return answer.accepted() ? "accept" : answer.declined() ? "decline" : "cancel";
    });
    plugin.tool("ask_model")
        .describe("Asks the client's model")
        .input<QuestionInput>()
        .handle([](const QuestionInput& in, Call& call) {
            const json messages = json::array(
                {{{"role", "user"}, {"content", {{"type", "text"}, {"text", in.question}}}}});
            patchbay::Question question;
            question.method = "sampling/createMessage";
            question.params = {{"messages", messages}, {"maxTokens", 50}};
            question.needs = "sampling";
            return call.ask("answer", question).text();
        });
    plugin.tool("ask_roots").describe("Asks for the client's roots").handle([](Call& call) {
        std::string out;
        for (const auto& root : call.ask("answer", patchbay::list_roots()).roots()) {
            out += (out.empty() ? "" : " ") + root;
        }
        return out;
    });
}

void add_waiting_tools(patchbay::Plugin& plugin, const LabPtr& lab) {
    plugin.tool("steps")
        .describe("Reports each step")
        .input<CountInput>()
        .handle([](const CountInput& in, Call& call) {
            for (int step = 1; step <= in.count; ++step) {
                call.progress(step, in.count, "step " + std::to_string(step));
                call.log(patchbay::Level::info, {{"step", step}});
            }
            return std::to_string(in.count) + " steps";
        });
    plugin.tool("hold")
        .describe("Runs until it is cancelled")
        .input<TagInput>()
        .handle([lab](const TagInput& in, Call& call) {
            call.progress(1, "begun");
            try {
                for (;;)
                    call.sleep(1h);
            } catch (const patchbay::Cancelled& over) {
                if (over.status() != PATCHBAY_E_DEADLINE) lab->raise(in.tag);
                throw;
            }
        });
    plugin.tool("was_cancelled")
        .describe("Answers when the call that holds has been cancelled")
        .input<TagInput>()
        .handle([lab](const TagInput& in, Call& call) {
            lab->await(in.tag, call);
            return "yes";
        });
    plugin.tool("gate")
        .describe("Waits until it is opened")
        .input<TagInput>()
        .handle([lab](const TagInput& in, Call& call) {
            call.progress(1, "begun");
            lab->await(in.tag, call);
            return "through " + in.tag;
        });
    plugin.tool("open")
        .describe("Opens a gate")
        .input<TagInput>()
        .handle([lab](const TagInput& in) {
            lab->raise(in.tag);
            return "open";
        });
    plugin.tool("later")
        .describe("Gives the connection back while it works")
        .handle([](Call& call) {
            call.release_stream(20ms);
            call.sleep(100ms);
            return "late";
        });
}

void add_resources_and_prompts(patchbay::Plugin& plugin, const LabPtr& lab) {
    plugin.subscriptions();
    plugin.resource(note_uri).name("note").mime_type("text/plain").read([lab] {
        return lab->note();
    });
    plugin.resource("memo://pixel").name("pixel").mime_type("image/png").bytes(pixel());
    plugin.resource_template("memo://user/{name}")
        .name("user")
        .mime_type("text/plain")
        .complete("name", std::vector<std::string>{"ada", "alan", "grace"})
        .read([](const patchbay::Variables& in) { return "user " + in.at("name"); });
    plugin.prompt("greet")
        .describe("Greets somebody")
        .argument("name", "Whom")
        .optional_argument("tone", "How")
        .complete("tone", std::vector<std::string>{"formal", "friendly", "terse"})
        .get([](const patchbay::Variables& in) {
            const auto tone = in.find("tone");
            return "Greet " + in.at("name") + " in a " +
                   (tone == in.end() ? "friendly" : tone->second) + " tone";
        });
}

}  // namespace

PATCHBAY_PLUGIN("lab", "1.0.0", plugin) {
    const auto lab = std::make_shared<Lab>();
    add_plain_tools(plugin, lab);
    add_asking_tools(plugin);
    add_waiting_tools(plugin, lab);
    add_resources_and_prompts(plugin, lab);
}
