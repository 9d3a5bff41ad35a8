# Models and their weights: what is being done to them, and why it failed. English is what the command
# line says; a test compares the two. $cause is a text of the system or
# of a library. $misfit is one of the messages misfit-….

weights-unusable = could not use the model file { $path }: { $misfit }; { $remedy }
weights-install-again = install the model again
weights-import-again = import the file that the model came from again
weights-download-again = download the file again
# $fault is one of the messages fault-…: a predicate on the file.
weights-file = { $path } { $fault }
weights-not-fetched = could not install { $model }; tried: { $tried }; download one of these files elsewhere and import it
weights-unknown = unknown model { $name }; expected one of: { $known }
weights-not-installed = { $model } is not installed
weights-installing = { $model } is already being installed by another window or command
weights-digest = { $path } is damaged: the digest of its content is { $found }, not { $noted }; { $remedy }
weights-replaced = { $path } was replaced by another network; start the work again
weights-other-shape = { $path } does not fit the other networks of { $model }; { $remedy }
weights-other-stems = { $path } makes other stems than the catalogue states; { $remedy }
weights-segment = could not run the network: a segment has { $found } values instead of { $expected }
weights-device = could not compute the network: { $cause }
weights-no-device = this computer has no device { $device }; `partita doctor` lists its devices
weights-no-metal = only Partita for macOS computes on metal; choose another device
weights-device-not-built = this build of Partita does not compute on { $device }; use one that was built with the feature `cuda`, or choose another device
weights-memory = the network needs { $needed } MB of memory; the limit is { $limit } MB
weights-forbidden = { $path } may not be read by this user; change its permissions or its owner
weights-other-sound = the network was trained at { $rate } Hz, { $layout }; only { $expected-rate } Hz { $expected-layout } networks are supported yet
weights-other-sound-file = could not use the model file { $path }: { $sound }
# $flags: options of the command line, such as --hop 441
weights-facts-missing = { $path } does not state everything about its network; put its publisher's YAML beside it, { MEDIUM() ->
    [command-line] name that with --config, or state what is missing, for example { $flags }
   *[window] or state what is missing
}

fault-cut-off = is cut off; { $remedy }
fault-cut-off-of = is cut off: { $have } of { $whole }; { $remedy }
fault-cut-off-after = is cut off: it ends after { $have }; { $remedy }
fault-empty = is empty; download the file again
fault-folder = is a folder, not a file
fault-not-a-file = is not a file, but a device or a pipe
fault-not-a-model = is not a model file: it begins with { $start }
fault-undescribed = does not say how its network is built
fault-unreachable = cannot be reached: { $cause }
fault-no-host = cannot be reached: its address was not found; check the network connection
fault-unreadable = cannot be read: { $cause }

weights-stereo = stereo

# Steps of an installation.
step-starting = Starting
step-downloading = Downloading from { $host }
step-packing = Fetching { $package } with npm
step-reading = Reading
step-checking = Checking
step-writing = Writing
step-next = Trying the next source: { $reason }
