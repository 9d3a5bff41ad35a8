# Textos comuns a vários lugares.

files = { $count ->
    [one] { $count } arquivo
   *[other] { $count } arquivos
}
