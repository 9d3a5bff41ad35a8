# Observações: o que é estranho em um arquivo ou uma exportação e não impede nada.

note-rate-change = a taxa de amostragem muda em { $at }
note-channel-change = o número de canais muda em { $at }
note-folded-down = convertida de { $layout } para estéreo
note-channels = { $count } canais
note-unreadable = danificada ou diferente depois de { $at }: o resto não pôde ser lido
note-cut-off = cortada depois de { $at }
note-cut-off-of = cortada depois de { $at } de { $whole }
note-unfinished = a gravação não foi concluída: o arquivo foi lido até o fim
note-altered = danificada ou alterada desde a codificação: a soma de verificação não confere
note-lost = { $count ->
    [one] danificada em { $count } ponto a partir de { $at }, preenchido ou silenciado
   *[other] danificada em { $count } pontos a partir de { $at }, preenchidos ou silenciados
}
note-suspect = { $count ->
    [one] danificada em { $count } ponto a partir de { $at }, com possíveis falhas audíveis
   *[other] danificada em { $count } pontos a partir de { $at }, com possíveis falhas audíveis
}
note-implausible-blocks = um som inválido a partir de { $at } foi substituído (blocos: { $count })
note-implausible-samples = um som inválido a partir de { $at } foi silenciado (amostras: { $count })
note-more = e mais { $count }
note-name-lost = o nome da música se perdeu; adicione o arquivo de novo
note-track-taken = a faixa { $track } de { $count } ({ $label }) foi usada; escolha outra com --track
note-all-exist = todos os arquivos já existiam
note-from-draft = feito a partir de um rascunho: as outras qualidades soam melhor
note-exported-in-stereo = os { $channels } canais da música foram convertidos para estéreo
note-below-loudness = a mix ficou em { $lufs } LUFS: mais alta, seus picos precisariam do limitador
note-limited = a mix passou pelo limitador e ficou em { $lufs } LUFS
note-device-memory = a memória do dispositivo { $device } não bastou; o processador assumiu, e os stems não são afetados
note-device-not-numbers = o dispositivo { $device } deu amostras infinitas ou que não são números; o processador assumiu, e os stems não são afetados
note-device-failed = o dispositivo { $device } falhou; o processador assumiu, e os stems não são afetados
