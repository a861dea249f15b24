// The commands `vectors` and `adapter-check` of ams-conform.
#pragma once

#include <memory>
#include <optional>

namespace CLI {
class App;
}

namespace ams::conform {

class VectorsCommands {
 public:
  /// Adds the commands to `app`, which must outlive this.
  explicit VectorsCommands(CLI::App& app);
  ~VectorsCommands();

  /// The exit code of the command that was given; empty when it was neither of these.
  std::optional<int> run() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ams::conform
