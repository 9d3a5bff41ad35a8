# The language itself.

language-name = Português
number-decimal-mark = ,
number-group-mark = .
