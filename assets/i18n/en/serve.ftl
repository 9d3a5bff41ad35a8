# The server: errors of requests, and messages on its command line.

# $known lists songs with their numbers.
serve-unknown-song = no song has the number { $id }; there are: { $known }
serve-not-processed = song { $song } was not processed yet
# $known lists names of stems.
serve-unknown-track = unknown track `{ $name }`; known tracks: { $known }
serve-unknown-thing = there is nothing named `{ $id }` here
serve-unknown-address = there is nothing at this address
serve-method = this address does not support the method
# $reason is English.
serve-request = the request could not be read: { $reason }
serve-not-json = the content type must be application/json
serve-value = `{ $field }` must be { $accepted }
serve-field-needed = `{ $field }` applies to `{ $needed }`; send that, too
serve-not-bytes = the content type must be application/offset+octet-stream
serve-too-long = more bytes were sent than the { $announced } that were announced
serve-not-computed = this part is not separated yet
serve-range = the range lies outside of the content
serve-too-large = the file is larger than { $most }, which the server permits
serve-no-room = the server has too little space for uploads: { $needed } needed, { $free } free
serve-too-many-songs =
    { $most ->
        [one] the library is full: the server permits one song
       *[other] the library is full: the server permits { $most } songs
    }
serve-no-file = the request contains no file
serve-offset = the upload continues at byte { $expected }
serve-upload-busy = another request is sending this file
serve-protocol = the server supports version 1.0.0 of tus
serve-token = the token is missing or wrong; the server printed a link with it when it was made
serve-too-many-tries =
    { $seconds ->
        [one] too many wrong tokens; try again in a second
       *[other] too many wrong tokens; try again in { $seconds } seconds
    }
serve-host = `{ $host }` is not a name of this server; start it with --name { $host } to permit it
serve-origin = pages of other sites may not send requests
serve-confirmation = this removes { $songs } and { $jobs }; send `"confirm": "reset"`
serve-busy = the server is busy; try again soon
serve-slow = the request was sent too slowly
serve-internal = the server has a fault; its log has the details
# In place of a list of names.
serve-none = none

# The command line.
serve-new-token = this link opens the server to your devices; it is shown only this once
serve-old-token = the token of an earlier start is valid; --new-token makes another
serve-in-use = a window or another server uses this library; close it, or set PARTITA_HOME to another folder
serve-address = could not listen on { $address }: { $cause }
serve-no-pem = { $path } holds no certificate or key in PEM
serve-tls = the certificate and the key cannot be used: { $cause }
serve-expected-name = expected a name such as music.example.org, without a port
