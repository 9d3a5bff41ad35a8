# Wrong usage of the command line, and the headings of its help. clap's English, which a test compares.
# Variables are names of options, commands and values; keep the quotes around them as your language
# has them.

## Headings and notes of the help

usage-heading = Usage
# In the usage line, in brackets: partita list [OPTIONS]
usage-options-tag = OPTIONS
usage-commands = Commands
usage-arguments = Arguments
usage-options = Options
# Notes in brackets: [default: wav]
usage-default = default: { $value }
usage-possible-values = possible values: { $values }
usage-alias = { $count ->
    [one] alias: { $names }
   *[other] aliases: { $names }
}

## Errors

# Before the message: error: unexpected argument …
usage-error = error
usage-unknown-argument = unexpected argument '{ $argument }' found
usage-unknown-subcommand = unrecognized subcommand '{ $subcommand }'
# A list of arguments follows, one a line.
usage-required = the following required arguments were not provided:
usage-repeated = the argument '{ $argument }' cannot be used multiple times
usage-conflict = the argument '{ $argument }' cannot be used with '{ $other }'
# A list of arguments follows, one a line.
usage-conflict-several = the argument '{ $argument }' cannot be used with:
usage-conflict-unnamed = the argument '{ $argument }' cannot be used with one or more of the other specified arguments
usage-value-missing = a value is required for '{ $argument }' but none was supplied
# A reason may follow after a colon: expected a number from -70 to 0
usage-value-invalid = invalid value '{ $value }' for '{ $argument }'
usage-value-unexpected = unexpected value '{ $value }' for '{ $argument }' found; no more were expected
# Before a proposal: tip: a similar argument exists: '--mix'
usage-tip = tip
usage-similar-argument = a similar argument exists: '{ $name }'
# $names come with quotes.
usage-similar-subcommand = { $count ->
    [one] a similar subcommand exists: { $names }
   *[other] some similar subcommands exist: { $names }
}
usage-similar-value = a similar value exists: '{ $value }'
usage-as-value = to pass '{ $argument }' as a value, use '{ $command }'
usage-dashes = subcommand '{ $subcommand }' exists; to use it, remove the '{ $dashes }' before it
usage-exists = '{ $command }' exists
usage-more = For more information, try '{ $option }'.

## Why a value is invalid

expected-integer = expected a whole number
expected-number = expected a number
# $range: 0..=10
expected-in-range = expected a number in { $range }
expected-between = expected a number from { $least } to { $most }
# $choices: source, 16, 24
expected-choice = expected { $choices } or { $last }
expected-one-of = expected one of { $choices }
expected-decimals = expected at most two decimals
expected-rate = expected source, or a number of Hz from { $least } to { $most }
expected-gain = expected a stem and decibels, such as vocals=-3
expected-decibels = expected a number of dB, at most { $most }
expected-bytes = expected a number of bytes, or a number with K, M or G, such as 2G or 1500M
expected-track = expected the number of an audio track, from 1
expected-share = expected I/N, such as 3/8: the third of eight shares, counted from 1
expected-folder = expected a folder relative to the output folder, such as rock/1994
expected-field = expected one of the fields { $fields }
