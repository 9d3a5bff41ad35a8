# Around the panels: the sheet of shortcuts, notices, and dialogs that ask for a path.

## Shortcuts

help-title = Shortcuts
help-playback = Playback
help-lanes = Lanes
help-view = View
help-songs = Songs
help-window = Window
# The space bar.
help-space = Space
# Between two shortcuts of one command: + or =
help-or = { $first } or { $second }

## Notices

notice-dismiss-all = Dismiss all
notice-removed = Removed “{ $title }”
notice-removed-many = { $count ->
    [one] Removed { $count } song
   *[other] Removed { $count } songs
}
notice-undo = Undo
notice-model-importing = Importing a model
# $what: Mel-Band RoFormer, 384 × 6, 60 bands, 1 stem: vocals; segments of 8.0 s
notice-model-imported = Imported { $model }: { $what }
notice-model-imported-bare = Imported { $model }
# After a drag out of the window.
notice-not-taken = the program on which the files were dropped did not take them
# $program is the system's file manager.
notice-not-shown = could not show { $file }: { $program } failed ({ $reason })

## Dialogs for a path

path-song = Path of a song
path-song-folder = Path of a folder of songs
path-weights = Path of the model's weights
path-chain = Path of a chain file
path-export-folder = Path of the export folder
path-report = Path of the report
path-add = Add
path-use = Use
path-choose = Choose
path-save = Save
path-note = Full path; ~ is your home folder
path-add-songs = Add songs
path-add-folder = Add a folder of songs
path-weights-title = Model weights
path-chain-title = Chain of networks
path-export-title = Export folder
path-report-title = Save a report
# A file name: letters, digits and dashes only.
path-report-file = partita-report.txt
path-filter-audio = Audio
path-filter-all = All files
path-filter-weights = Weights
path-filter-chains = Chains
