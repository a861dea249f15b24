// ams-look-ups: how many look-ups a second does one core of a directory peer answer over TLS, and
// how long does each wait? Exit codes: 0 done; 1 a look-up failed or nothing moved; 2 wrong
// arguments or configuration.
#include <CLI/CLI.hpp>
#include <map>

#include "look_ups.h"

int main(int argc, char** argv) {
  using namespace ams::look_ups;
  FillOptions filling;
  AskOptions asking;
  EchoOptions echoing;
  CLI::App app("ams-look-ups: look-ups a second that a directory peer answers over TLS");
  app.require_subcommand(1);
  app.footer("Example: bench/look_ups/measure.py makes a peer, fills it and runs all of these.");

  CLI::App* fill_app = app.add_subcommand("fill", "Write keys into the store of a new peer");
  fill_app->add_option("--config", filling.config_file, "of the peer, not running")->required();
  fill_app->add_option("--keys", filling.keys, "how many the map holds")
      ->check(CLI::Range(1, 100'000'000));
  fill_app->add_option("--records", filling.records, "how many of them have a record")
      ->check(CLI::Range(1, 100'000'000));
  fill_app->add_option("--kids", filling.kids_file, "file that gets their kids")->required();

  const std::map<std::string, Mode> modes{{"proof", Mode::proof},
                                          {"get", Mode::get},
                                          {"verified", Mode::verified},
                                          {"echo", Mode::echo}};
  CLI::App* ask_app = app.add_subcommand("ask", "Look keys up and print figures as JSON");
  ask_app->add_option("--config", asking.config_file, "of the domain that asks")->required();
  ask_app->add_option("--peer", asking.peer, "domain of the directory peer")->required();
  ask_app->add_option("--kids", asking.kids_file, "what `fill` wrote")->required();
  ask_app->add_option("--mode", asking.mode, "proof, get, verified (both), echo")
      ->transform(CLI::CheckedTransformer(modes));
  ask_app->add_option("--connections", asking.connections, "at once")->check(CLI::Range(1, 1'000));
  ask_app->add_option("--window", asking.window, "unanswered requests of each connection")
      ->check(CLI::Range(1, 65'536));
  ask_app->add_option("--count", asking.count, "look-ups")->check(CLI::Range(1, 1'000'000'000));
  ask_app->add_option("--server-pid", asking.server, "whose processor time a look-up costs");

  CLI::App* echo_app = app.add_subcommand("echo", "Answer every frame with one of fixed size");
  echo_app->add_option("--config", echoing.config_file, "whose certificate and port")->required();
  echo_app->add_option("--bytes", echoing.answer_size, "of an answer's payload")
      ->required()
      ->check(CLI::Range(1, 1'000'000));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (fill_app->parsed()) return fill(filling);
  return ask_app->parsed() ? ask(asking) : serve_echo(echoing);
}
