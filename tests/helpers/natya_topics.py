"""Which topics a pattern means, by its definition: the table of topics has to find the same."""

from natya.domain.events.topics import ONE, REST, words_of


def is_match(pattern, topic):
    """Whether a topic is one of a pattern."""
    words, wanted = topic.split("."), words_of(pattern)
    if wanted[-1] == REST:
        wanted = wanted[:-1]
        words = words[: len(wanted)]
    return len(words) == len(wanted) and all(want in {ONE, word} for want, word in zip(wanted, words, strict=True))
