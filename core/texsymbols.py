"""What LaTeX calls the characters beyond plain letters; every command stands in the kernel, for OT1, T1 and TU alike.

Mathematical forms are preferred to text symbols, because those of the TS1 encoding need fonts that small TeX
installations lack.
"""

from __future__ import annotations

ASCII = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "%": "\\%",
    "_": "\\_",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    '"': "\\texttt{\\char34}",
    "`": "\\texttt{\\char96}",
}
"""In running text."""

CODE = {
    **{letter: f"\\char{ord(letter)}{{}}" for letter in '\\{}~^"`'},
    **{letter: f"\\{letter}" for letter in "$&#%_"},
    " ": "\\ ",
}
"""In the typewriter face, whose fonts hold all of ASCII in every encoding."""

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n", strict=True))
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-", strict=True))

ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030a": "r",
    "\u030b": "H",
    "\u030c": "v",
    "\u0323": "d",
    "\u0327": "c",
    "\u0331": "b",
}
"""Combining mark to accent command."""

_WORDS = {
    "ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "å": "aa", "Å": "AA",
    "ı": "i", "ȷ": "j", "§": "S", "¶": "P", "£": "pounds", "©": "copyright", "…": "ldots",
    "¿": "textquestiondown", "¡": "textexclamdown",
    "–": "textendash", "—": "textemdash", "―": "textemdash",
    "‘": "textquoteleft", "’": "textquoteright", "“": "textquotedblleft", "”": "textquotedblright",
}  # fmt: skip

_ELSEWHERE = {
    "đ": "dj", "Đ": "DJ", "ð": "dh", "Ð": "DH", "þ": "th", "Þ": "TH", "ŋ": "ng", "Ŋ": "NG",
    "„": "quotedblbase", "‚": "quotesinglbase", "«": "guillemotleft", "»": "guillemotright",
    "‹": "guilsinglleft", "›": "guilsinglright",
}  # fmt: skip
_OGONEK = {"ą": "a", "Ą": "A", "ę": "e", "Ę": "E", "į": "i", "Į": "I", "ų": "u", "Ų": "U", "ǫ": "o", "Ǫ": "O"}

_MATH = {
    "×": "times", "÷": "div", "±": "pm", "∓": "mp", "−": "-", "·": "cdot", "⋅": "cdot", "∗": "ast", "•": "bullet",
    "≤": "leq", "≥": "geq", "≠": "neq", "≈": "approx", "≡": "equiv", "∼": "sim", "≃": "simeq", "∝": "propto",
    "≪": "ll", "≫": "gg", "∞": "infty", "√": "surd", "∂": "partial", "∇": "nabla", "∑": "sum", "∏": "prod",
    "∫": "int", "∈": "in", "∉": "notin", "∋": "ni", "∅": "emptyset", "∀": "forall", "∃": "exists", "¬": "neg",
    "∧": "wedge", "∨": "vee", "∩": "cap", "∪": "cup", "⊂": "subset", "⊆": "subseteq", "⊃": "supset",
    "⊇": "supseteq", "∖": "setminus", "∘": "circ", "⊕": "oplus", "⊗": "otimes", "⟂": "perp", "∥": "parallel",
    "←": "leftarrow", "→": "rightarrow", "↑": "uparrow", "↓": "downarrow", "↔": "leftrightarrow",
    "⇐": "Leftarrow", "⇒": "Rightarrow", "⇔": "Leftrightarrow", "↦": "mapsto", "⟨": "langle", "⟩": "rangle",
    "⌈": "lceil", "⌉": "rceil", "⌊": "lfloor", "⌋": "rfloor", "†": "dagger", "‡": "ddagger", "∆": "Delta",
    "ℓ": "ell", "ℜ": "Re", "ℑ": "Im", "ℵ": "aleph", "⋮": "vdots", "⋯": "cdots", "′": "prime", "△": "triangle",
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ϵ": "epsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "vartheta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "µ": "mu",
    "ν": "nu", "ξ": "xi", "π": "pi", "ϖ": "varpi", "ρ": "rho", "ϱ": "varrho", "σ": "sigma", "ς": "varsigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "ϕ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Υ": "Upsilon",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_GREEK_AS_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABEZHIKMNOPTX", strict=True))

SYMBOLS = {
    **{letter: f"\\{name}{{}}" for letter, name in _WORDS.items()},
    **{letter: f"\\DpoLetter{{\\{name}}}{{{{}}}}{{U+{ord(letter):04X}}}" for letter, name in _ELSEWHERE.items()},
    **{letter: f"\\DpoLetter{{\\k}}{{{{{base}}}}}{{U+{ord(letter):04X}}}" for letter, base in _OGONEK.items()},
    **{letter: f"$\\{name}$" if name != "-" else "$-$" for letter, name in _MATH.items()},
    **{letter: f"$\\mathrm{{{base}}}$" for letter, base in _GREEK_AS_LATIN.items()},
    **dict.fromkeys("\u2002\u2003\u2004\u2005\u2008\u205f\u3000", " "),
    **dict.fromkeys("\u2009\u200a\u202f\u2006", "\\,"),
    "\u00a0": "~",
    "\u2007": "~",
    "\u2010": "-",
    "\u2011": "\\mbox{-}",
    "ο": "$o$",
    "°": "$^{\\circ}$",
    "‰": "$^{0}/_{00}$",
    "½": "$\\frac{1}{2}$",
    "¼": "$\\frac{1}{4}$",
    "¾": "$\\frac{3}{4}$",
    "ª": "$^{\\mathrm{a}}$",
    "º": "$^{\\mathrm{o}}$",
    "™": "$^{\\mathrm{TM}}$",
    "®": "$^{\\mathrm{(R)}}$",
    "€": "EUR",
    "´": "\\'{}",
    "¨": '\\"{}',
    "¯": "\\={}",
    "¸": "\\c{}",
    "Ĳ": "IJ",
    "ĳ": "ij",
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
}
"""One character each. ``\\DpoLetter{command}{argument}{code point}`` prints what only some font encodings hold."""
