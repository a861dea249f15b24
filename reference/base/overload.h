// The visitor of a variant written as lambdas.
#pragma once

namespace ams {

template <class... F>
struct Overload : F... {
  using F::operator()...;
};
template <class... F>
Overload(F...) -> Overload<F...>;

}  // namespace ams
