# Textos que vários lugares da janela e da linha de comando compartilham.

## Números, tempos e tamanhos

percent = { NUMBER($percent) } %
decibels = { $number } dB
kilohertz = { $number } kHz
speed = { $number } ×
cents = { $number } ct
size-bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
}
size-kilobytes = { $number } KB
size-megabytes = { $number } MB
size-gigabytes = { $number } GB
size-terabytes = { $number } TB

duration-seconds = { NUMBER($seconds) } s
duration-minutes = { NUMBER($minutes) } min
duration-hours = { NUMBER($hours) } h { NUMBER($minutes, minimumIntegerDigits: 2) } min
took-seconds = em { NUMBER($seconds) } s
took-minutes = em { NUMBER($minutes) } min { NUMBER($seconds, minimumIntegerDigits: 2) } s
took-hours = em { NUMBER($hours) } h { NUMBER($minutes, minimumIntegerDigits: 2) } min
left-seconds = { $seconds ->
    [one] falta { $seconds } s
   *[other] faltam { $seconds } s
}
left-minutes = { $minutes ->
    [one] falta { $minutes } min { NUMBER($seconds, minimumIntegerDigits: 2) }
   *[other] faltam { $minutes } min { NUMBER($seconds, minimumIntegerDigits: 2) }
}
left-hours = { $hours ->
    [one] falta { $hours } h { NUMBER($minutes, minimumIntegerDigits: 2) } min
   *[other] faltam { $hours } h { NUMBER($minutes, minimumIntegerDigits: 2) } min
}

## Contagens e listas

files = { $count ->
    [one] { $count } arquivo
   *[other] { $count } arquivos
}
songs = { $count ->
    [one] { $count } música
   *[other] { $count } músicas
}
jobs = { $count ->
    [one] { $count } tarefa
   *[other] { $count } tarefas
}
list-and = { $most } e { $last }
and-more = { $count ->
    [one] e mais { $count }
   *[other] e mais { $count }
}

## Som

unknown-artist = Artista desconhecido
mono = mono
channels = { $count ->
    [one] { $count } canal
   *[other] { $count } canais
}
bits = { NUMBER($bits) } bits
float = 32 bits float
bpm = { $number } BPM
lufs = { $number } LUFS
key-minor = { $tonic } menor
key-major = { $tonic } maior

## Instrumentos, dentro de uma frase

stem-vocals = voz
stem-drums = bateria
stem-bass = baixo
stem-other = outros
stem-guitar = guitarra
stem-piano = piano
stem-instrumental = instrumental
stem-kick = bumbo
stem-snare = caixa
stem-toms = tons
stem-hihat = chimbal
stem-ride = prato de condução
stem-crash = prato de ataque
stem-cymbals = pratos
stem-lead = voz principal
stem-backing = coro

## Botões

cancel = Cancelar
close = Fechar
dismiss = Dispensar
show = Mostrar
    .tooltip = Mostrar no gerenciador de arquivos
