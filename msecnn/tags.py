"""Tag vocabularies: names in order, and families of tags that mean the same."""

from collections.abc import Sequence

#: MagnaTagATune's 50 most frequent tags; the order of the tie at the end is a convention of the field's code.
MAGNATAGATUNE_TAGS = (
    "guitar", "classical", "slow", "techno", "strings", "drums", "electronic", "rock", "fast", "piano",
    "ambient", "beat", "violin", "vocal", "synth", "female", "indian", "opera", "male", "singing",
    "vocals", "no vocals", "harpsichord", "loud", "quiet", "flute", "woman", "male vocal", "no vocal", "pop",
    "soft", "sitar", "solo", "man", "classic", "choir", "voice", "new age", "dance", "male voice",
    "female vocal", "beats", "harp", "cello", "no voice", "weird", "country", "metal", "female voice", "choral",
)  # fmt: skip

#: Words that MagnaTagATune's players used for one thing. A tag in no family stands alone.
FAMILIES = {
    "no vocals": ("no vocals", "no vocal", "no voice"),
    "vocals": ("vocal", "vocals", "voice", "singing"),
    "female voice": ("female", "woman", "female vocal", "female voice"),
    "male voice": ("male", "man", "male vocal", "male voice"),
    "choir": ("choir", "choral"),
    "classical": ("classical", "classic"),
    "beat": ("beat", "beats"),
    "quiet": ("quiet", "soft"),
}


def families(tags: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Groups a vocabulary into families of synonyms, in the order of each family's first tag.

    Only tags of this vocabulary appear; a tag in no family is a family of its own.
    """
    family_of = {tag: name for name, members in FAMILIES.items() for tag in members}
    groups: dict[str, tuple[str, ...]] = {}
    for tag in tags:
        name = family_of.get(tag, tag)
        groups[name] = (*groups.get(name, ()), tag)
    return groups
