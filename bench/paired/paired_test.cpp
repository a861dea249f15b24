// Goal: the figures that the benchmarks show are what their names say.
// Method: known answers for the statistics, computed by hand or by scipy.stats; a measurement of
// operations whose cost is known relative to each other; both runs of a comparison made up.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <stdexcept>

#include "paired/compare.h"
#include "paired/report.h"

namespace ams::paired {
namespace {

TEST(Statistics, quartiles) {
  const Spread spread = spread_of({4, 1, 3, 2, 5});
  EXPECT_DOUBLE_EQ(spread.low, 2);
  EXPECT_DOUBLE_EQ(spread.median, 3);
  EXPECT_DOUBLE_EQ(spread.high, 4);
  EXPECT_DOUBLE_EQ(spread_of({1, 2}).median, 1.5);
}

TEST(Statistics, mann_whitney_known_answers) {
  // U = 0 of 25: z = (12.5 - 0.5) / sqrt(25 * 11 / 12); scipy: mannwhitneyu(…, "asymptotic").
  EXPECT_NEAR(
      mann_whitney_p(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{6, 7, 8, 9, 10}),
      0.012186, 1e-6);
  // With ties: variance 16 / 12 * (9 - 12 / 56).
  EXPECT_NEAR(mann_whitney_p(std::vector<double>{1, 2, 2, 3}, std::vector<double>{2, 3, 4, 4}),
              std::erfc((8 - 2.5 - 0.5) / std::sqrt(2 * (16.0 / 12 * (9 - 36.0 / 56)))), 1e-12);
  EXPECT_DOUBLE_EQ(mann_whitney_p(std::vector<double>{1, 1, 1}, std::vector<double>{1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(mann_whitney_p(std::vector<double>{1, 2}, std::vector<double>{8, 9}), 1);
}

TEST(Statistics, exponent_of_a_power_law) {
  const std::vector<double> x{1, 10, 100}, y{3, 3 * std::sqrt(10.0), 30};
  EXPECT_NEAR(fitted_exponent(x, y), 0.5, 1e-12);
}

Row row_of(std::vector<Contestant> contestants) {
  Row out;
  out.x = 4096;
  out.contestants = [contestants] { return contestants; };
  return out;
}

Contestant spinning(const std::string& name, int turns) {
  return {name, [turns] {
            return [turns] {
              std::atomic<int> sink = 0;
              while (sink < turns) ++sink;
            };
          }};
}

TEST(Measure, ratios_follow_the_work) {
  const MeasuredRow row = measure(row_of({spinning("one", 20'000), spinning("three", 60'000)}),
                                  {.rounds = 5, .slice_s = 0.002});
  ASSERT_EQ(row.series.size(), 2u);
  EXPECT_EQ(row.series[0].seconds.size(), 5u);
  const double ratio = speed_ratio(row.series[1], row.series[0]).median;
  EXPECT_GT(ratio, 0.2);
  EXPECT_LT(ratio, 0.5);
}

TEST(Measure, an_operation_of_many_items_is_timed_by_the_item) {
  Row row = row_of({spinning("one", 20'000)});
  const double whole =
      spread_of(measure(row, {.rounds = 5, .slice_s = 0.002}).series[0].seconds).median;
  row.items = 1'000;
  const double item =
      spread_of(measure(row, {.rounds = 5, .slice_s = 0.002}).series[0].seconds).median;
  EXPECT_GT(whole / item, 300);
  EXPECT_LT(whole / item, 3'000);
}

TEST(Measure, threads_work_side_by_side_and_failures_come_out) {
  Row row = row_of({spinning("one", 20'000)});
  row.threads = 2;
  EXPECT_EQ(measure(row, {.rounds = 3, .slice_s = 0.001}).series[0].seconds.size(), 3u);
  row = row_of({{"broken", [] { return [] { throw std::runtime_error("no"); }; }}});
  EXPECT_THROW(measure(row, {}), std::runtime_error);
  row.threads = 2;
  EXPECT_THROW(measure(row, {}), std::runtime_error);
}

Report report_of(double ours_s) {
  MeasuredTable table{"seal", "Sealing <b>", "How fast?", "bytes", "limit", {}, {}};
  for (const std::int64_t x : {10, 100, 1000}) {
    const double scale = static_cast<double>(x) / 10;
    const std::vector<double> ours{ours_s * scale, ours_s * scale * 1.01, ours_s * scale * 1.02,
                                   ours_s * scale * 1.03, ours_s * scale * 1.04};
    const std::vector<double> limit(5, scale);
    table.rows.push_back({x, "", 0, 1, Clock::cpu, {{"ams", 1, ours}, {"limit", 1, limit}}});
  }
  table.targets = {{10, "ams", "limit", 0.9, "fast"}, {11, "ams", "limit", 0.9, "not measured"}};
  return {"test", "Test", {{"cpu", "none"}}, {}, {table}};
}

TEST(Report, judges_targets_and_growth) {
  const auto good = verdicts(report_of(1.05)), bad = verdicts(report_of(1.5));
  ASSERT_EQ(good.size(), 1u);
  EXPECT_TRUE(good[0].holds);
  ASSERT_EQ(bad.size(), 1u);
  EXPECT_FALSE(bad[0].holds);
  EXPECT_NEAR(growth(report_of(1).tables[0], "ams").value(), 1, 1e-9);
}

TEST(Report, all_three_forms_show_the_figures) {
  const Report report = report_of(1.5);
  EXPECT_NE(to_markdown(report).find("| 10.0 B | 0.65 /s ±1.0 %, 0.65×"), std::string::npos)
      << to_markdown(report);
  const std::string page = to_html(report);
  EXPECT_NE(page.find("Sealing &lt;b&gt;"), std::string::npos);
  EXPECT_NE(page.find("<polyline"), std::string::npos);
  EXPECT_EQ(page.find("http"), std::string::npos);  // nothing is fetched
}

TEST(Compare, tells_a_change_from_noise) {
  const auto same = compare(to_json(report_of(1)), to_json(report_of(1.005)));
  ASSERT_EQ(same.both.size(), 6u);
  EXPECT_FALSE(same.both[0].differs());
  const auto slower = compare(to_json(report_of(1)), to_json(report_of(2)));
  EXPECT_EQ(slower.both[0].name, "test/seal/bytes:10/ams");
  EXPECT_NEAR(slower.both[0].after_ns / slower.both[0].before_ns, 2, 1e-9);
  EXPECT_LT(slower.both[0].p, 0.02);
  EXPECT_NE(to_text(slower).find("test/seal/bytes:10/ams"), std::string::npos);
  EXPECT_THROW(compare("{}", to_json(report_of(1))), std::runtime_error);
}

}  // namespace
}  // namespace ams::paired
