"""What the commands and environments of LaTeX do to the words around them."""

from __future__ import annotations

import re

from dpo_report.plugins.paper.prose import THIN

LEVELS = {
    "part": 0,
    "chapter": 1,
    "section": 2,
    "subsection": 3,
    "subsubsection": 4,
    "paragraph": 5,
    "subparagraph": 6,
}
HIDDEN = frozenset(
    [
        "verbatim",
        "Verbatim",
        "lstlisting",
        "minted",
        "comment",
        "tikzpicture",
        "pgfpicture",
        "thebibliography",
        "filecontents",
        "algorithm",
        "algorithmic",
        "equation",
        "align",
        "gather",
        "multline",
        "eqnarray",
        "displaymath",
        "math",
        "alignat",
        "flalign",
        "code",
    ]
)
ROWS = frozenset(("tabular", "tabularx", "longtable", "tabulary", "array", "tblr"))
BREAKS = frozenset(("item", "par", "maketitle", "noindent", "bigskip", "medskip", "newpage", "clearpage", "appendix"))
CITES = re.compile(r"[A-Za-z]*[cC]ite[A-Za-z]*$|citeauthor|citeyear")
REFS = frozenset(["ref", "eqref", "pageref", "autoref", "cref", "Cref", "vref", "nameref", "hyperref", "subref"])
READS = frozenset(("input", "include", "subfile", "import"))
SILENT = {
    "label": 1, "bibliography": 1, "bibliographystyle": 1, "addbibresource": 1, "includegraphics": 1, "url": 1,
    "usepackage": 1, "documentclass": 1, "RequirePackage": 1, "vspace": 1, "hspace": 1, "setlength": 2,
    "addtolength": 2, "setcounter": 2, "addtocounter": 2, "hypersetup": 1, "definecolor": 3, "color": 1,
    "textcolor": 1, "pagestyle": 1, "thispagestyle": 1, "cmidrule": 1, "cline": 1, "rule": 2, "graphicspath": 1,
    "newcolumntype": 2, "lstset": 1, "sisetup": 1, "newtheorem": 2, "renewenvironment": 3, "newenvironment": 3,
    "DeclareMathOperator": 2, "def": 0, "let": 0, "href": 1, "multicolumn": 2, "multirow": 2, "resizebox": 2,
    "scalebox": 1, "raisebox": 1, "lstinputlisting": 1, "fontsize": 2, "phantom": 1, "hphantom": 1, "tag": 1,
    "theoremstyle": 1, "setstretch": 1, "linespread": 1, "PassOptionsToPackage": 2, "geometry": 1, "date": 1,
    "thanks": 1, "email": 1, "orcid": 1, "affil": 1, "affiliation": 1, "author": 1, "index": 1, "hyphenation": 1,
}  # fmt: skip
"""How many arguments of a command carry no words."""
SYMBOLS = {
    "times": "×", "cdot": "·", "approx": "≈", "sim": "~", "simeq": "≈", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥",
    "geq": "≥", "lt": "<", "gt": ">", "ll": "≪", "gg": "≫", "ln": "ln", "log": "log", "exp": "exp", "beta": "β",
    "alpha": "α", "gamma": "γ", "lambda": "λ", "eta": "η", "epsilon": "ε", "sigma": "σ", "theta": "θ", "pi": "π",
    "mu": "μ", "tau": "τ", "Delta": "Δ", "delta": "δ", "rho": "ρ", "to": "→", "rightarrow": "→", "infty": "∞",
    "ldots": "…", "dots": "…", "textbeta": "β", "texttimes": "×", "textasciitilde": "~", "textminus": "−",
    "percent": "%", "second": "s", "seconds": "s", "minute": "min", "hour": "h", "textbackslash": "\\",
    "ss": "ß", "ae": "æ", "oe": "œ", "o": "ø", "l": "ł", "i": "ı", "LaTeX": "LaTeX", "TeX": "TeX", "neq": "≠",
}  # fmt: skip
SPACES = {",": THIN, ";": " ", ":": " ", "!": "", " ": " ", "\n": " ", "/": "", "-": "", "@": "", "\\": " "}
UNITS = re.compile(r"\\per\\?([A-Za-z]+)")
