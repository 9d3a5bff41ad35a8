# Why a file cannot be decoded. English is what the command line says; a test compares the two.

not-audio-folder = this is a folder, not a file
not-audio-device = this is a device or a pipe, not a file
not-audio-other = this is not an audio file but { $kind }
not-audio-unknown = this is not an audio file, or of an unknown kind
not-audio-no-track = this file holds no sound, only other data
# Kinds of files; they stand for $kind.
foreign-picture = a picture
foreign-pdf = a PDF document
foreign-postscript = a PostScript document
foreign-office = an office document
foreign-document = a text document
foreign-text = text
foreign-zip = a ZIP archive
foreign-compressed = a compressed archive
foreign-archive = an archive
foreign-program = a program
foreign-database = a database
foreign-midi = a MIDI file, which has notes but no sound
foreign-flash = a Flash animation
foreign-tracker = a tracker module, which has notes but no recording
foreign-console = music of a game console, which has notes but no recording
foreign-home-computer = music of a home computer, which has notes but no recording
foreign-font = a font
foreign-riff = other data in a RIFF container

decode-codec = { $codec } is not supported; convert the file to FLAC or WAV
decode-unknown-codec = this codec is not supported; convert the file to FLAC or WAV
decode-codec-settings = this kind of { $codec } is not supported ({ $detail }); convert the file to FLAC or WAV
decode-format = { $format } is not supported; convert the sound to FLAC or WAV
decode-video = { $format } are not supported; convert the sound to FLAC or WAV
decode-container = this kind of audio file is not supported ({ $detail }); convert it to FLAC or WAV
decode-channels = { $codec } with { $channels } channels is not supported; convert it to stereo, or to FLAC
decode-too-many-channels = the file has { $channels } channels; the limit is { $limit }; convert it to stereo
decode-layout = this number or layout of channels is not supported; convert the file to stereo
decode-joint-flac = FLAC with 32 bits in joint stereo is not supported; convert it to 24 bits
decode-rate = the sample rate is { $rate } Hz; expected 1 to 768 kHz
decode-conversion = could not convert the sample rate
decode-track = found no audio track { $number }: the file has { $count }
decode-track-one = found no audio track { $number }: the file has one
# Audio formats, for $format.
format-rifx = WAV with its bytes in big-endian order (RIFX)
format-adif = AAC with an ADIF header
format-latm = AAC in LATM without a container
format-free-rate = MPEG audio of free bit rate
# Video formats, in the plural, for $format.
video-avi = AVI files
video-dv = DV streams
video-flv = FLV files
video-mpeg-program = MPEG program streams
video-mpeg-transport = MPEG transport streams
video-mpeg-video = MPEG video streams
video-mxf = MXF files
video-nut = NUT files
video-realmedia = RealMedia files
video-wtv = recorded television files (WTV)

empty-file = the file is empty: it has 0 bytes
empty-track = there is no sound in this file

damage-header = the file's header is damaged ({ $detail }); copy or download it again
damage-aac = the file's header is damaged (the settings of AAC are invalid); copy or download it again
damage-packets = the file's header is damaged (it states packets of { $frames } frames); copy or download it again
damage-before-sound = the file ends, or is damaged, before its sound begins; copy or download it again
damage-cut-off = the file is cut off before its sound begins; copy or download it again
damage-at-sound = the file is damaged where its sound begins; copy or download it again
damage-no-index = the file is incomplete: its index is missing; copy or download it again
damage-mostly = nearly nothing of this file can be decoded: it is damaged, or not audio
damage-endless = the file is damaged: its parts lead to one another without end
damage-too-slow = the file is damaged: reading it takes far longer than its length explains
damage-index = the file is damaged: its index leads to far more sound than its { $bytes } bytes can hold
damage-too-long = the file is damaged: its { $bytes } bytes claim to hold more than { $minutes } minutes of sound
