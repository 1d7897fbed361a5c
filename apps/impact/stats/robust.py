"""How wide must an interval be when the prior may be wrong? Robust empirical Bayes.

References
----------
Armstrong, Kolesár, Plagborg-Møller (2022), Econometrica 90(6), eqs 4-6, doi:10.3982/ECTA18597.
"""

from __future__ import annotations

from math import erfc, exp, pi, sqrt

import numpy as np
from scipy import optimize, special

from .errors import NotEstimable

CLOSE = 1e-12  # a step this small is none


def _missed(t: float, chi: float) -> float:
    """P(|Z + √t| > χ)."""
    b = sqrt(t)
    return 0.5 * (erfc((chi + b) / sqrt(2.0)) + erfc((chi - b) / sqrt(2.0)))


def _touch(chi: float) -> float:
    """Where the tangent through the origin touches the non-coverage: its squared bias, for χ > √3.

    Newton from beyond the root; the derivative of P(|Z + b| > χ) by b is φ(b − χ) − φ(b + χ).
    """
    b, origin = chi + 0.5, _missed(0.0, chi)
    for _ in range(100):
        near, far = exp(-0.5 * (b - chi) ** 2) / sqrt(2.0 * pi), exp(-0.5 * (b + chi) ** 2) / sqrt(2.0 * pi)
        value = _missed(b * b, chi) - 0.5 * b * (near - far) - origin
        step = 2.0 * value / (near - far - b * ((chi - b) * near + (chi + b) * far))
        b -= step
        if abs(step) < CLOSE:
            break
    return b * b


def worst_non_coverage(m2: float, chi: float) -> float:
    """Largest non-coverage over all distributions of the bias with second moment `m2`.

    The least concave majorant of the non-coverage as a function of the squared bias, at `m2`: a line from the
    origin until it touches.
    """
    touch = _touch(chi) if chi > sqrt(3.0) else 0.0
    if m2 >= touch:
        return _missed(m2, chi)
    origin = _missed(0.0, chi)
    return origin + (_missed(touch, chi) - origin) * m2 / touch


def cva(m2: float, alpha: float = 0.05) -> float:
    """Critical value that covers whatever the distribution of the bias.

    Parameters
    ----------
    m2 : float
        Second moment of bias over standard error, at least 0.
    alpha : float
        Non-coverage allowed.

    Returns
    -------
    float

    Raises
    ------
    NotEstimable
        ``bad_input`` when m2 is negative or not finite.
    """
    if not np.isfinite(m2) or m2 < 0:
        raise NotEstimable("bad_input", f"second moment {m2}")
    low = float(special.ndtri(1.0 - alpha / 2.0))
    if m2 == 0.0:
        return low
    high = sqrt((1.0 + m2) / alpha)  # Chebyshev's inequality
    return float(optimize.brentq(lambda chi: worst_non_coverage(m2, chi) - alpha, low * 0.999, high, xtol=1e-10))


def robust_half_width(se: float, spread: float, alpha: float = 0.05) -> float:
    """Half width of the robust interval around a shrunk estimate.

    Parameters
    ----------
    se : float
        Standard error of the unshrunk estimate.
    spread : float
        Standard deviation of true effects.
    alpha : float
        Non-coverage allowed.
    """
    if spread <= 0 or not np.isfinite(se):
        return 0.0
    ratio = (se / spread) ** 2
    if ratio > 1e4:
        return float(cva(1e4, alpha) * spread**2 / se)
    return float(cva(ratio, alpha) * se / (1.0 + ratio))
