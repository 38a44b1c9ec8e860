// Makes TensorFlow's log obey its own variable. TensorFlow's C interface, unlike its Python package, logs through Abseil's defaults, from the
// moment its library is loaded; the addon's definition of this function is found first.
#include <cstdlib>

#include "absl/log/globals.h"

namespace absl {
ABSL_NAMESPACE_BEGIN
LogSeverityAtLeast MinLogLevel() {
  static const char *const level = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  return static_cast<LogSeverityAtLeast>(level == nullptr ? 0 : std::atoi(level));
}
ABSL_NAMESPACE_END
}  // namespace absl
