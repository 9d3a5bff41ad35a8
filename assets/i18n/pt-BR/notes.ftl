# Observações: o que é estranho em um arquivo ou uma exportação e não impede nada.

note-rate-change = a taxa de amostragem muda em { $at }
note-channel-change = o número de canais muda em { $at }
note-folded-down = reduzida de { $layout }
note-channels = { $count } canais
note-unreadable = danificada ou diferente depois de { $at }: o resto não pôde ser lido
note-cut-off = cortada depois de { $at }
note-cut-off-of = cortada depois de { $at } de { $whole }
note-unfinished = a gravação não foi concluída: o arquivo foi lido até o fim
note-altered = danificado ou alterado desde a codificação: a soma de verificação não confere
note-lost = { $count ->
    [one] danificada em { $count } lugar a partir de { $at }, com som preenchido ou sem som ali
   *[other] danificada em { $count } lugares a partir de { $at }, com som preenchido ou sem som ali
}
note-suspect = { $count ->
    [one] danificada em { $count } lugar a partir de { $at }, pode haver falhas audíveis ali
   *[other] danificada em { $count } lugares a partir de { $at }, pode haver falhas audíveis ali
}
note-implausible-blocks = um som impossível a partir de { $at } foi silenciado (blocos: { $count })
note-implausible-samples = um som impossível a partir de { $at } foi silenciado (amostras: { $count })
note-more = e mais { $count }
note-name-lost = o nome da música se perdeu; adicione o arquivo de novo
note-track-taken = a faixa { $track } de { $count } ({ $label }) foi usada; escolha outra com --track
note-all-exist = todos os arquivos já existiam
note-from-draft = feito de um rascunho: as outras qualidades soam melhor
note-exported-in-stereo = os { $channels } canais foram reduzidos a estéreo
note-below-loudness = o mix tem { $lufs } LUFS: mais alto, seus picos precisariam do limitador
note-limited = o mix passou pelo limitador, e tem { $lufs } LUFS
note-device-memory = a memória do dispositivo { $device } não bastou; o processador assumiu, e os stems não são afetados
note-device-not-numbers = o dispositivo { $device } deu amostras infinitas ou que não são números; o processador assumiu, e os stems não são afetados
note-device-failed = o dispositivo { $device } falhou; o processador assumiu, e os stems não são afetados
