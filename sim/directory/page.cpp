// The page of a directory scenario: what held, agreement over time with what happened on the way,
// look-ups, and the proofs against peers with two faces. Inline SVG, no script, nothing loaded.
#include <algorithm>
#include <cstdio>

#include "directory/slots.h"
#include "sim_directory/run.h"
#include "sim_world/internet.h"
#include "verifiable/rewrite.h"

namespace ams::sim {
namespace {

constexpr double width = 1'000, height = 300, left = 56, right = 12, top = 44, bottom = 34;

constexpr std::string_view style = R"(
:root { --paper: #fbfbfa; --card: #fff; --ink: #1c2024; --soft: #626a73; --line: #e3e5e8;
  --blue: #2563c9; --blue-soft: #dbe7fa; --orange: #c75b12; --orange-soft: #fbe6d5;
  --green: #12805c; --red: #b3261e; --red-soft: #fbe3e1; --grey: #a9b0b8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --card: #1b1f23; --ink: #e7eaed;
  --soft: #9aa4ae; --line: #30363d; --blue: #6ea2f7; --blue-soft: #1f3356; --orange: #f0954c;
  --orange-soft: #45290f; --green: #4cc296; --red: #f2877f; --red-soft: #471c19;
  --grey: #6b747d; } }
body { margin: 0 auto; max-width: 1080px; padding: 36px 28px 72px; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { margin: 0; font-size: 34px; } h2 { margin: 38px 0 8px; font-size: 22px; }
.soft { color: var(--soft); } .bad { color: var(--red); } .good { color: var(--green); }
figure { margin: 14px 0 0; background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; padding: 18px; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 13px; fill: var(--soft); }
svg .up { fill: var(--blue-soft); } svg .line { fill: none; stroke: var(--blue);
  stroke-width: 2.5; }
svg .crowd { fill: none; stroke: var(--red); stroke-width: 2; }
svg .sets { fill: none; stroke: var(--orange); stroke-width: 1.5; stroke-dasharray: 4 3; }
svg .cut { fill: var(--orange-soft); opacity: .7; } svg .grid { stroke: var(--line); }
svg .mark { stroke: var(--grey); stroke-dasharray: 2 3; } svg .caught { stroke: var(--red);
  stroke-width: 2; } svg .caughttext { fill: var(--red); font-weight: 600; }
table { border-collapse: collapse; font-size: 14.5px; } td, th { text-align: left;
  padding: 4px 18px 4px 0; border-bottom: 1px solid var(--line); }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--line); padding: 12px;
  border-radius: 8px; font-size: 13px; }
)";

std::string number(double value) {
  char out[32];
  std::snprintf(out, sizeof out, "%.1f", value);
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
  return out;
}

double seconds_of(Instant at) {
  return static_cast<double>((at - world_start) / std::chrono::milliseconds{1}) / 1e3;
}

std::string time_text(double s) {
  if (s >= 2 * 3'600) return number(s / 3'600) + " h";
  if (s >= 180) return number(s / 60) + " min";
  return number(s) + " s";
}

/// Maps seconds and shares of one to the picture.
struct Plane {
  double total_s;
  double x(double s) const { return left + (width - left - right) * s / total_s; }
  double y(double share) const { return top + (height - top - bottom) * (1 - share); }
};

std::string text_at(double x, double y, std::string_view what, std::string_view anchor = "middle",
                    std::string_view kind = "") {
  return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" +
         std::string(anchor) + "\" class=\"" + std::string(kind) + "\">" + escaped(what) +
         "</text>";
}

std::string vertical(const Plane& plane, double at_s, std::string_view kind) {
  const std::string x = number(plane.x(at_s));
  return "<line class=\"" + std::string(kind) + "\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"" +
         number(top - 6) + "\" y2=\"" + number(height - bottom) + "\"/>";
}

std::string axes(const Plane& plane, std::size_t peers) {
  std::string out;
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const std::string y = number(plane.y(share));
    out += "<line class=\"grid\" x1=\"" + number(left) + "\" x2=\"" + number(width - right) +
           "\" y1=\"" + y + "\" y2=\"" + y + "\"/>";
    out += text_at(left - 8, plane.y(share) + 4,
                   number(share * static_cast<double>(peers))
                       .substr(0, number(share * static_cast<double>(peers)).find('.')),
                   "end");
  }
  for (int i = 0; i <= 6; ++i) {
    const double s = plane.total_s * i / 6;
    out += text_at(plane.x(s), height - 10, time_text(s), i == 6 ? "end" : "middle");
  }
  return out;
}

/// What was planned and what came of it, so that a reader sees why the line bends.
std::string marks(const DirectoryRun& run, const Plane& plane) {
  const DirectoryScenario& s = run.world->scenario;
  std::string out;
  for (const CutSpec& cut : s.cuts) {
    const double from = static_cast<double>(cut.from_s);
    const double width_s = static_cast<double>(cut.seconds);
    out += "<rect class=\"cut\" x=\"" + number(plane.x(from)) + "\" y=\"" + number(top) +
           "\" width=\"" + number(plane.x(from + width_s) - plane.x(from)) + "\" height=\"" +
           number(height - top - bottom) + "\"/>" +
           text_at(plane.x(from + width_s / 2), top - 10,
                   std::to_string(cut.peers) + " peers cut off");
  }
  double last = -1e9;
  for (const PublishSpec& spec : s.publish) {
    const auto at = static_cast<double>(spec.at_s);
    out += vertical(plane, at, "mark");
    if (plane.x(at) - last < 120) continue;  // its text would lie on the one before
    last = plane.x(at);
    out += text_at(last + 4, top + 12, std::to_string(spec.count) + " × " + spec.what, "start");
  }
  double up = 8;  // one above the other: they may begin together
  for (const FloodSpec& spec : s.floods) {
    const auto at = static_cast<double>(spec.from_s);
    const std::string with = spec.grants == "own" ? "" : ", with " + spec.grants + " grants";
    out += vertical(plane, at, "mark") +
           text_at(plane.x(at) + 4, height - bottom - up,
                   "flood of " + std::to_string(spec.seconds * spec.per_s) + " objects at " +
                       run.world->names[static_cast<std::size_t>(spec.peer)] + with,
                   "start");
    up += 13;
  }
  double line = 0;  // one below the other, where they are at one time
  for (const Split& split : run.judgement.figures.splits) {
    const auto at = [&](const std::optional<Instant>& when, const std::string& what, double y) {
      if (when)
        out += vertical(plane, seconds_of(*when), "caught") +
               text_at(plane.x(seconds_of(*when)) + 5, y, what, "start", "caughttext");
    };
    at(split.to_clients ? std::optional(split.from) : split.two_faces, split.peer + ": two faces",
       top + 28 + line);
    at(split.noticed, "noticed by " + split.noticed_by, top + 46 + line);
    at(split.evicted, "evicted by all", top + 64 + line);
    line += split.to_clients ? 18 : 54;
  }
  return out;
}

std::string agreement(const DirectoryRun& run) {
  const auto& samples = run.judgement.figures.agreement;
  std::size_t peers = 0, sets = 1;
  for (LpId lp = 0; lp < run.world->peer_count(); ++lp) peers += run.world->honest(lp);
  for (const AgreementSample& sample : samples) sets = std::max(sets, sample.sets);
  const Plane plane{static_cast<double>(run.world->scenario.seconds)};
  std::string up = "M" + number(plane.x(0)) + " " + number(plane.y(0)), line, many;
  for (const AgreementSample& sample : samples) {
    const std::string x = number(plane.x(seconds_of(sample.at)));
    const auto share = [&](std::size_t n, std::size_t of) {
      return number(plane.y(static_cast<double>(n) / static_cast<double>(of)));
    };
    up += " L" + x + " " + share(sample.up, peers);
    line += (line.empty() ? "M" : " L") + x + " " + share(sample.agreeing, peers);
    many += (many.empty() ? "M" : " L") + x + " " + share(sample.sets, sets);
  }
  up += " L" + number(plane.x(plane.total_s)) + " " + number(plane.y(0)) + " Z";
  return "<figure><svg viewBox=\"0 0 1000 300\" role=\"img\" aria-label=\"Agreement over time\">"
         "<path class=\"up\" d=\"" +
         up + "\"/>" + axes(plane, peers) + marks(run, plane) + "<path class=\"sets\" d=\"" + many +
         "\"/><path class=\"line\" d=\"" + line +
         "\"/></svg><p class=\"soft\">Blue: honest peers that hold the most common set. Light: "
         "those that are up. Dashed: different sets at once, at most " +
         std::to_string(sets) + ".</p></figure>";
}

/// Learned peers of the honest: the fewest, the mean, and the most of a crowd.
std::string learned_plot(const DirectoryRun& run) {
  const TablesFigures& tables = run.judgement.figures.tables;
  if (tables.samples.empty()) return "";
  const Plane plane{static_cast<double>(run.world->scenario.seconds)};
  const auto most = static_cast<double>(directory::learned_max);
  std::string least, mean, crowd;
  for (const TablesSample& sample : tables.samples) {
    const std::string x = (least.empty() ? "M" : " L") + number(plane.x(seconds_of(sample.at)));
    const auto y = [&](double n) { return ' ' + number(plane.y(n / most)); };
    least += x + y(static_cast<double>(sample.least));
    mean += x + y(sample.mean);
    crowd += x + y(static_cast<double>(sample.crowd));
  }
  std::string out =
      "<h2>Learned peers</h2><figure><svg viewBox=\"0 0 1000 300\" role=\"img\" "
      "aria-label=\"Learned peers over time\">" +
      axes(plane, directory::learned_max) + marks(run, plane) + "<path class=\"sets\" d=\"" + mean +
      "\"/><path class=\"line\" d=\"" + least + "\"/>";
  if (!run.world->scenario.crowds.empty()) out += "<path class=\"crowd\" d=\"" + crowd + "\"/>";
  out +=
      "</svg><p class=\"soft\">Blue: learned peers of the honest peer that has fewest, of at most "
      "16. Dashed: on average.";
  if (!run.world->scenario.crowds.empty())
    out += " Red: most peers of a crowd in one honest peer's table.";
  return out + "</p></figure>";
}

std::string look_table(const DirectoryRun& run) {
  std::string rows;
  std::string before;
  for (std::size_t client = 0; client < run.looks.size(); ++client)
    for (const Look& look : run.looks[client].looks) {
      std::string answers;
      for (const LookAnswer& answer : look.answers)
        answers += (answers.empty() ? "" : "; ") + answer.peer + " says " +
                   (answer.state.empty() ? "nothing" : answer.state) + ", " +
                   (answer.code.empty() ? "verified" : "refused: " + answer.code);
      const std::string row = "<td>" + std::to_string(client) + "</td><td>" + look.verdict +
                              "</td><td>" + escaped(answers) + "</td>";
      if (row == before) continue;  // the first of those that are alike
      before = row;
      rows += "<tr><td>" + time_text(seconds_of(look.at)) + "</td>" + row + "</tr>";
    }
  if (rows.empty()) return "";
  return "<h2>Look-ups, where they change</h2><table><tr><th>at</th><th>client</th><th>verdict</th>"
         "<th>answers</th></tr>" +
         rows + "</table>";
}

std::string promises(const DirectoryRun& run) {
  std::string out = "<h2>What must hold</h2><table>";
  for (const InvariantResult& one : run.judgement.invariants) {
    out += std::string("<tr><td class=\"") +
           (one.violated == 0 ? "good\">holds" : "bad\">VIOLATED") + "</td><td>" +
           escaped(one.name) + "</td><td class=\"soft\">" + std::to_string(one.checked) +
           " checks</td></tr>";
    for (std::size_t i = 0; i < std::min<std::size_t>(one.violations.size(), 3); ++i)
      out += "<tr><td></td><td class=\"bad\" colspan=\"2\">" +
             escaped(time_text(seconds_of(one.violations[i].at)) + ": " + one.violations[i].what) +
             "</td></tr>";
  }
  return out + "</table>";
}

/// Who takes in no revocation; nothing of that shows in the plot.
std::string withholding(const DirectoryRun& run) {
  std::string out;
  for (const WithholdSpec& one : run.world->scenario.withholding)
    out += (out.empty() ? "; no revocation is taken in by " : ", ") +
           run.world->names[static_cast<std::size_t>(one.peer)];
  return out;
}

std::string proofs(const DirectoryRun& run) {
  std::string out;
  for (const Split& split : run.judgement.figures.splits)
    if (!split.evidence.empty())
      out +=
          "<h2>The proof against " + escaped(split.peer) +
          "</h2><p class=\"soft\">Two checkpoints that its key signed, " +
          (verifiable::is_rewrite(split.evidence)
               ? "and hashes that lead to the later one from another root than the earlier one's, "
               : "of one size, ") +
          std::to_string(split.evidence.size()) + " bytes. Anybody can check it.</p><pre>" +
          escaped(split.evidence) + "</pre>";
  return out;
}

}  // namespace

std::string directory_page(const DirectoryRun& run) {
  const DirectoryScenario& s = run.world->scenario;
  std::string figures;
  for (const std::string& line : figure_lines(run)) figures += "<li>" + escaped(line) + "</li>";
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
         "content=\"width=device-width\"><title>" +
         escaped(s.name) + "</title><style>" + std::string(style) + "</style></head><body><h1>" +
         escaped(s.name) + "</h1><p class=\"soft\">" + std::to_string(s.peers) +
         " directory peers, rounds of " + std::to_string(s.interval_s) + " s, " +
         time_text(static_cast<double>(s.seconds)) + " of virtual time, seed " +
         std::to_string(s.seed) + withholding(run) + "</p><ul>" + figures +
         "</ul><h2>Agreement over time</h2>" + agreement(run) + learned_plot(run) + promises(run) +
         look_table(run) + proofs(run) + "</body></html>\n";
}

}  // namespace ams::sim
