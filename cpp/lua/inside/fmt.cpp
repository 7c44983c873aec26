// fmt's own compiled part, inside the module. The shared library would be one more file to find, read and relocate when
// the module is loaded, and brings the C++ library with it, which costs as much as all the rest (CMakeLists.txt). We
// use a twentieth of it: no locale, so digits are never grouped by somebody's language in what machines read.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

template FMT_API auto dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);

} // namespace detail
FMT_END_NAMESPACE
