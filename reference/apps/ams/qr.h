// A QR code for a terminal, two modules in each character's height.
#pragma once

#include <string>

namespace ams::cli {

/// `text` of the code's alphanumeric mode (0–9, A–Z and `$%*+-./: `), at most 200 characters. Light
/// modules are drawn, so that the code is right on a dark terminal; scanners take the inverse too.
std::string qr_code(const std::string& text);

}  // namespace ams::cli
