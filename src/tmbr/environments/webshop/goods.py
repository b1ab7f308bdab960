"""What the generated shop sells: kinds of goods, what they can be, and what they come in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_COLORS = "black|white|navy|red|olive|beige|pink|grey|teal|burgundy"
_SIZES = "x-small|small|medium|large|x-large|xx-large"
_FLAVORS = "vanilla|dark chocolate|salted caramel|lemon|mango|hazelnut|wild berry|cinnamon"
_PACKS = "pack of 1|pack of 2|pack of 3|pack of 6|pack of 12"
_SCENTS = "lavender|rose|unscented|citrus|cedar|green tea"
_VOLUMES = "50 ml|100 ml|200 ml|1.7 fl oz|8 fl oz"
_SHOES = "6|7|8|8.5|9|10|11|12 wide"
_FINISHES = "espresso|walnut|light oak|white oak|matte black|natural"
_LENGTHS = "3 ft|6 ft|10 ft|15 ft|25 ft"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of goods. name: as a buyer calls it. path: its categories.

    can: attributes that such goods can have. options: what such goods come in. prices: least and most,
    in dollars.
    """

    name: str
    category: str
    path: str
    can: tuple[str, ...]
    options: Mapping[str, tuple[str, ...]]
    prices: tuple[int, int]


def _kind(
    name: str, category: str, path: str, can: str, prices: tuple[int, int], **options: str
) -> Kind:
    comes_in = {key: tuple(values.split("|")) for key, values in options.items()}
    return Kind(name, category, path.replace(" > ", " › "), tuple(can.split(", ")), comes_in, prices)


_BODY = "Beauty & Personal Care > "
_FOOD = "Grocery & Gourmet Food > "
_TECH = "Electronics > "
_HOME = "Home & Kitchen > "
_WEAR = "Clothing, Shoes & Jewelry > "
_SKIN = (
    "cruelty free, paraben free, fragrance free, oil free, long lasting, sensitive skin, "
    "dry skin, vitamin c"
)
_DIET = (
    "gluten free, sugar free, non gmo, low carb, plant based, soy free, usda organic, "
    "high protein, nut free"
)
_TEXTILE = (
    "machine washable, long sleeve, elastic waist, loose fit, slim fit, "
    "moisture wicking, hand wash only"
)

KINDS = (
    _kind(
        "face serum",
        "beauty",
        _BODY + "Skin Care > Face > Serums",
        _SKIN + ", hyaluronic acid, anti aging",
        (8, 60),
        scent=_SCENTS,
        size=_VOLUMES,
    ),
    _kind(
        "body lotion",
        "beauty",
        _BODY + "Skin Care > Body > Lotions",
        _SKIN + ", shea butter, coconut oil",
        (6, 35),
        scent=_SCENTS,
        size=_VOLUMES,
    ),
    _kind(
        "shampoo",
        "beauty",
        _BODY + "Hair Care > Shampoo",
        "sulfate free, paraben free, tea tree, dry hair, "
        "color safe, hair growth, cruelty free, curly hair",
        (7, 40),
        scent=_SCENTS,
        size=_VOLUMES,
    ),
    _kind(
        "makeup brush set",
        "beauty",
        _BODY + "Makeup > Brushes",
        "cruelty free, easy to clean, synthetic bristles, travel size, rose gold, soft bristles",
        (9, 50),
        color=_COLORS,
    ),
    _kind(
        "electric toothbrush",
        "beauty",
        _BODY + "Oral Care > Toothbrushes",
        "soft bristles, long battery life, "
        "travel case included, whitening mode, two minute timer, water resistant",
        (15, 120),
        color=_COLORS,
    ),
    _kind(
        "granola bars", "grocery", _FOOD + "Snacks > Bars", _DIET, (5, 40), flavor=_FLAVORS, size=_PACKS
    ),
    _kind(
        "protein powder",
        "grocery",
        _FOOD + "Supplements > Protein",
        _DIET + ", lactose free",
        (18, 70),
        flavor=_FLAVORS,
        size="1 pound|2 pound|5 pound",
    ),
    _kind(
        "herbal tea",
        "grocery",
        _FOOD + "Beverages > Tea",
        "caffeine free, usda organic, non gmo, hand crafted, individually wrapped, kosher certified",
        (4, 30),
        flavor=_FLAVORS,
        size=_PACKS,
    ),
    _kind(
        "mixed nuts",
        "grocery",
        _FOOD + "Snacks > Nuts",
        "gluten free, lightly salted, dry roasted, non gmo, "
        "resealable bag, low sodium, kosher certified",
        (6, 45),
        size=_PACKS,
    ),
    _kind(
        "cookies",
        "grocery",
        _FOOD + "Bakery > Cookies",
        _DIET + ", individually wrapped",
        (4, 35),
        flavor=_FLAVORS,
        size=_PACKS,
    ),
    _kind(
        "hdmi cable",
        "electronics",
        _TECH + "Accessories > Cables",
        "gold plated, high speed, braided nylon, ultra hd, right angle, heavy duty",
        (6, 45),
        size=_LENGTHS,
        color="black|white|grey",
    ),
    _kind(
        "bluetooth speaker",
        "electronics",
        _TECH + "Audio > Speakers",
        "water resistant, hands free, deep bass, stereo sound, long battery life, easy to carry",
        (15, 140),
        color=_COLORS,
    ),
    _kind(
        "wireless headphones",
        "electronics",
        _TECH + "Audio > Headphones",
        "noise cancelling, hands free, foldable design, long battery life, fast charging, deep bass",
        (20, 200),
        color=_COLORS,
    ),
    _kind(
        "phone case",
        "electronics",
        _TECH + "Phones > Cases",
        "shock proof, wireless charging, screen protector "
        "included, card slot, slim design, scratch resistant",
        (6, 40),
        color=_COLORS,
    ),
    _kind(
        "security camera",
        "electronics",
        _TECH + "Cameras > Surveillance",
        "night vision, motion detection, two way audio, weather proof, 1080p hd, easy to install",
        (25, 180),
        color="black|white",
    ),
    _kind(
        "running shoes",
        "fashion",
        _WEAR + "Men > Shoes > Athletic",
        "rubber sole, arch support, slip resistant, "
        "memory foam, breathable mesh, light weight, wide fit",
        (30, 140),
        color=_COLORS,
        size=_SHOES,
    ),
    _kind(
        "sandals",
        "fashion",
        _WEAR + "Women > Shoes > Sandals",
        "open toe, rubber sole, ankle strap, memory foam, arch support, vegan leather",
        (18, 90),
        color=_COLORS,
        size=_SHOES,
    ),
    _kind(
        "hoodie",
        "fashion",
        _WEAR + "Men > Clothing > Hoodies",
        _TEXTILE + ", fleece lined, kangaroo pocket",
        (15, 80),
        color=_COLORS,
        size=_SIZES,
    ),
    _kind(
        "summer dress",
        "fashion",
        _WEAR + "Women > Clothing > Dresses",
        _TEXTILE + ", v neck, floral print, short sleeve",
        (14, 95),
        color=_COLORS,
        size=_SIZES,
    ),
    _kind(
        "yoga pants",
        "fashion",
        _WEAR + "Women > Clothing > Active",
        _TEXTILE + ", high waist, tummy control, side pockets",
        (12, 70),
        color=_COLORS,
        size=_SIZES,
    ),
    _kind(
        "coffee table",
        "garden",
        _HOME + "Furniture > Living Room > Tables",
        "solid wood, tempered glass, easy to assemble, hidden storage, metal legs, mid century",
        (60, 420),
        color=_FINISHES,
    ),
    _kind(
        "floor lamp",
        "garden",
        _HOME + "Lighting > Lamps",
        "dimmable light, energy efficient, glass shade, brushed nickel, adjustable height, foot switch",
        (25, 190),
        color=_FINISHES,
    ),
    _kind(
        "throw pillow covers",
        "garden",
        _HOME + "Bedding > Pillows",
        "machine washable, hidden zipper, double sided print, faux linen, super soft, fade resistant",
        (8, 40),
        color=_COLORS,
        size="16 x 16 inch|18 x 18 inch|20 x 20 inch|12 x 20 inch",
    ),
    _kind(
        "area rug",
        "garden",
        _HOME + "Decor > Rugs",
        "non slip, stain resistant, easy to clean, machine washable, low pile, hand woven",
        (30, 380),
        color=_COLORS,
        size="2 x 3 ft|3 x 5 ft|5 x 8 ft|8 x 10 ft",
    ),
)
