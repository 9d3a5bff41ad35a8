# Uma música no meio da janela: o cabeçalho, as pistas e os controles de reprodução.

## O que fazer com a música

song-separated = Separada
song-separated-into = { $count ->
    [one] Separada em { $count } stem
   *[other] Separada em { $count } stems
}
song-is-draft = Separada como rascunho
song-continue = Continuar
song-select-first = Marque um instrumento primeiro
song-partly-done = Já processado: { $percent }
song-takes-about = Leva cerca de { $time } e ocupa { $disk } em disco
song-needs-disk = Precisa de { $disk } de espaço em disco

## Durante a separação

song-next-in-queue = Próxima da fila
song-after-others = { $count ->
    [one] { $count } música na frente
   *[other] { $count } músicas na frente
}
song-waiting = Na fila
song-separating = Separando { $stems }…
song-estimating = estimando o tempo
song-real-time = { $times } × tempo real
song-stems-play = Os stems tocam assim que ficam prontos
song-segments = segmento { NUMBER($done) } de { NUMBER($total) }
song-drafting = rascunho { $percent }
song-refined = refinado { $percent }
song-pause = Pausar o processamento
    .tooltip = As partes prontas são mantidas

## Instrumentos

song-all = Tudo
song-karaoke = Karaokê
song-drumless = Sem bateria
song-vocals-only = Só a voz
song-drums-and-bass = Bateria e baixo
# A stem within another: Lead, part of Vocals
song-part-of = { $stem }, parte de { $whole }
# A part without a name of its own: what the other parts of its instrument leave.
song-rest = Resto
# $stem: Vocals
song-show-parts = Mostrar as partes de { $stem }
song-hide-parts = Ocultar as partes de { $stem }
song-show-lanes = Expandir { $stem }
song-hide-lanes = Recolher { $stem }
# $stems: kick, snare and toms
song-needs-model = precisa de um modelo que produza { $stems }

## Modelo e qualidade

song-model = Modelo
song-quality = Qualidade
song-quality-draft = Rascunho
song-quality-standard = Padrão
song-quality-best = Melhor
song-quality-custom = Personalizada
song-draft-first = Rascunho primeiro
    .tooltip = Ouvir logo um rascunho; stems melhores o substituem durante a reprodução
song-piano-is-weak = Este modelo não separa bem o piano
song-versions = { $count ->
    [one] { $count } versão
   *[other] { $count } versões
}

## O som da música

song-audio-track = Faixa de áudio { NUMBER($track) } de { NUMBER($count) }
    .tooltip = O arquivo tem várias faixas de áudio; ao escolher outra, ela é adicionada como música
song-tempo = Andamento
song-key = Tom
song-from-tags = { $what }: lido das tags do arquivo
song-from-sound = { $what }: detectado no áudio

## Pistas

lane-position = Posição
lane-original = Original
lane-original-heard = tocando
lane-original-compare = segure O para comparar
lane-original-wave = Forma de onda do original
lane-wave = Forma de onda: { $stem }
lane-drag-hint = Arraste para uma pasta ou uma DAW
lane-preparing = Preparando { $stem }…
lane-mute = Silenciar { $stem }
lane-solo = Solo: { $stem }
lane-gain = Ganho: { $stem }
lane-pan = Pan: { $stem }
lane-level = Nível em dB: { $stem }
lane-pan-left = { $percent } à esquerda
lane-pan-right = { $percent } à direita
lane-pan-center = centro
lane-residual = Resíduo
lane-residual-note = tudo fora dos stems
lane-muted = silenciado
lane-loop = Loop { $times }
lane-loop-start = Início do loop
lane-loop-end = Fim do loop
lane-scroll = Rolar as formas de onda
lane-select-to-hear = Marque um instrumento para vê-lo e ouvi-lo
lane-select-and-process = Marque os instrumentos que quer e clique em Processar; cada um ganha uma pista aqui

## Reprodução

transport-play = Reproduzir
transport-pause = Pausar
transport-mix = Mix
transport-original = Original
transport-volume = Volume
transport-speed = Velocidade
transport-key = Tom
transport-cents = Afinação
transport-level = Nível em dB
transport-no-sound = Sem som
transport-no-device = Nenhum dispositivo de áudio: { $reason }
transport-export-later = Disponível quando a música toda estiver separada
transport-process-first = Processe a música primeiro
