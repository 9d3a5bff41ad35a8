# Texts that many places share.

files = { $count ->
    [one] { $count } file
   *[other] { $count } files
}
