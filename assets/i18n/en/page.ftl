# The web page of `partita serve`, for what the window does not have. The page takes its other texts from
# the window's files.

## Access

page-token-title = This Partita asks for a token
page-token-text = It is printed where “partita serve” was started, at the end of the link
page-token = Access token
page-token-open = Open
page-sign-out = Sign out

## Connection

page-offline = Connection lost; trying again…
page-unreachable = The server cannot be reached
# $status: 502
page-refused = The server answered with error { $status }
page-unsaved = The mixer settings could not be saved

## Parts of the page, for screen readers

page-skip = Skip to the song
page-library = Library
page-songs = Songs
page-uploads = Uploads
page-instruments = Instruments
page-lanes = Lanes
page-player = Player
page-exports = Exports
page-monitor = Mix or original
page-back = Back to the library
# $title may be empty.
page-actions = Actions for { $title }
# $time and $whole: 1:02 of 5:27
page-position = { $time } of { $whole }

## Library

# Below the window's text “Drop a song to hear what it is made of”.
page-empty-line = Vocals, drums, bass and the rest, separated on the server
page-more = Show more songs
page-no-model = No model is installed yet
page-models = Models
page-installing = Installation of { $name }
page-remove-model-text = The weights are deleted on the server. The stems that they made stay.
page-remove-title = Remove “{ $title }”?
page-remove-text = The song and its stems are deleted on the server. It cannot be undone.
# $what are counts: 3 songs and 2 jobs
page-reset-text = This deletes { $what } on the server, with all stems and exports. The models and the settings stay. It cannot be undone.

## Uploads

# $percent: 42 %; $size: 31 MB
page-uploading = Uploading, { $percent } of { $size }
page-upload-retrying = Interrupted; trying again…
# $name is a file's.
page-upload-progress = Progress of { $name }
page-upload-failed = Upload of { $name } failed: { $problem }
page-cancel-upload = Cancel upload of { $name }
page-retry = Try { $name } again
# Uploads that were interrupted when the page was closed.
page-unfinished = { $count ->
    [one] Choose the file again to finish its upload: { $names }
   *[other] Choose the files again to finish their uploads: { $names }
}

## Song and export

# $time: 2 min
page-takes-about = Takes about { $time }
# $stem: Vocals
page-download = Download { $stem }
page-download-all = Download all as ZIP
page-close-export = Close the export of “{ $title }”
page-remove-exports = Remove finished exports

## Key and speed

page-key-speed-reset = Original key and speed
page-key-speed-insecure = Browsers change key and speed only over HTTPS, or on the computer of the server
# $problem is the browser's.
page-no-shifter = The browser cannot change key and speed: { $problem }

## Shortcuts

page-in-list = In the list of songs
page-find-title = Go to a title
page-song-menu = Open the menu of the song
