#include "ams_cli/qr.h"

#include <qrencode.h>

#include <memory>

#include "base/result.h"

namespace ams::cli {
namespace {

constexpr int quiet_zone = 2;  // modules of margin; ISO 18004 has 4, terminals have their own

struct Free {
  void operator()(QRcode* code) const { QRcode_free(code); }
};

}  // namespace

std::string qr_code(const std::string& text) {
  const std::unique_ptr<QRcode, Free> code(
      QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 0));
  AMS_ASSERT(code != nullptr);
  const auto light = [&](int x, int y) {
    if (x < 0 || y < 0 || x >= code->width || y >= code->width) return true;
    return (code->data[y * code->width + x] & 1) == 0;
  };
  std::string out;
  for (int y = -quiet_zone; y < code->width + quiet_zone; y += 2) {
    for (int x = -quiet_zone; x < code->width + quiet_zone; ++x) {
      const bool upper = light(x, y), lower = light(x, y + 1);
      out += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
    }
    out += '\n';
  }
  return out;
}

}  // namespace ams::cli
