# The library at the left of the window, and the window without a song.

## Without a song

empty-title = Drop a song to hear what it is made of
empty-line = Vocals, drums, bass and the rest, separated on this computer
# While files are dragged over the window.
drop-to-add = { $count ->
    [one] Drop to add the file
   *[other] Drop to add the files
}
# Below the list: the three parts stand in one place and are separate buttons.
library-drop-here = Drop songs or folders here
library-or-files = or choose files…
library-or-folder = a folder…

## Search and order

library-search = Search the library
# The hint in the empty search field.
library-search-hint = { $count ->
    [0] Search
    [one] Search { $count } song
   *[other] Search { $count } songs
}
library-no-match = No song matches “{ $typed }”
library-sort = Sort
library-by-added = Recently added
library-by-title = By title
library-by-artist = By artist
library-by-length = By length
library-by-state = By state
library-reversed = Reverse order
library-unfold = Show library

## A song's row

library-title-field = Song title
library-missing = Missing
library-next = Next
library-waiting = Waiting
library-paused = Paused
library-failed = Failed
library-separated = Separated
library-has-warning = Has a warning
library-importing = Importing… { $percent }
library-processing = Processing, { $percent }
library-gone = { $path } was not found; its stems are kept. If the file was moved, add it from its new folder
library-reveal = Show in file manager
library-cancel-processing = Cancel processing
library-remove = Remove from library

## Several songs at once

library-selected = { $count ->
    [one] { $count } song selected
   *[other] { $count } songs selected
}
library-process-all = Process
library-export-all = Export…
library-remove-all = Remove

## The jobs' line

library-jobs = Jobs
library-jobs-none = no jobs
library-jobs-waiting = { NUMBER($count) } waiting
library-jobs-running = { NUMBER($count) } running
library-jobs-both = { NUMBER($running) } running, { NUMBER($waiting) } waiting
