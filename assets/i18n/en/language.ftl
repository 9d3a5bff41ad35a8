# The language itself.

# The name of this language in this language, as the settings list it.
language-name = English

# Between the whole part of a number and its decimals: 3.5
number-decimal-mark = .
# Between groups of three digits: 1,000
number-group-mark = ,
