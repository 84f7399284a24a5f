"""Makes LcaSans-Regular.ttf from Liberation Sans 2.1.5, byte for byte.

Debian has the source in the package fonts-liberation2 (2.1.5-1):

    pip install fonttools
    apt-get download fonts-liberation2 && dpkg -x fonts-liberation2_*.deb source
    python subset.py \
        source/usr/share/fonts/truetype/liberation2/LiberationSans-Regular.ttf LcaSans-Regular.ttf
"""

import sys

from fontTools import subset

# Latin, Greek and Cyrillic, then punctuation, raised and lowered digits, arrows, mathematics.
LETTERS = (
    "U+0020-007E,U+00A0-024F,U+0370-045F,"
    "U+2010,U+2012-2014,U+2018-2019,U+201C-201D,U+2022,U+2026,U+2030,U+2032,"
    "U+2070-2089,U+20AC,U+2190-2193,U+2202,U+2206,U+220F,U+2211,U+2212,U+221A,U+221E,"
    "U+222B,U+2248,U+2260,U+2264,U+2265,U+25A0,U+25CF"
)

source, result = sys.argv[1:]
options = subset.Options(
    hinting=False, layout_features=[], name_IDs=["*"], drop_tables=["GDEF", "GPOS", "GSUB", "kern"]
)
font = subset.load_font(source, options)
subsetter = subset.Subsetter(options)
subsetter.populate(unicodes=subset.parse_unicodes(LETTERS))
subsetter.subset(font)
# The licence reserves the name "Liberation" for the font as it was.
for record in font["name"].names:
    if record.nameID in (1, 3, 4, 6):
        name = "LCASans" if record.nameID == 6 else "LCA Sans"
        record.string = str(record).replace("LiberationSans", name).replace("Liberation Sans", name)
font.save(result)
