# A janela de exportação e os cartões que mostram as exportações.

export-title = Exportar “{ $title }”
export-go = Exportar

## O que exportar

export-content = Conteúdo
export-mix = Mix como você ouve
export-mix-note = Com os volumes, mutes e solos atuais
export-stems = Stems marcados
export-stems-none = Nenhum instrumento está marcado
export-stems-one-file = Tudo em um arquivo: { $stems }
export-stems-each = Um arquivo por stem: { $stems }
export-all-but = Tudo menos…
export-all-but-note = A música menos o stem; o som fora dos stems é mantido
export-dj = A música inteira e seus quatro stems
export-dj-note = Em um só arquivo, para programas de DJ

## Formato

export-format = Formato
export-format-dj = Stems para DJs
export-format-daw = Sessão de DAW
export-quality = Qualidade
export-depth = Profundidade de bits
export-rate = Taxa de amostragem
export-same-as-song = Igual à música
export-lossy = Arquivos pequenos, com pouca perda audível
export-lossy-at = Arquivos pequenos, com pouca perda audível, a { $rate }
export-loudness = Loudness
export-loudness-unchanged = Sem alteração
export-loudness-field = Loudness em LUFS
export-loudness-invalid = O loudness deve estar entre −70 e 0
export-key-speed = Tom, velocidade
export-as-heard = Como se ouve: { $change }
export-as-heard-note = A soma dos arquivos equivale à música neste tom e velocidade, não mais à original
export-limiter = Limitador
export-limiter-note = Segura picos isolados em vez de abaixar o volume de tudo

## Resíduo

export-also = Incluir
export-residual = Resíduo: tudo fora dos stems
export-residual-all-but = A música menos todos os seus stems
export-residual-lossy-files = Com todos os stems, a soma dos arquivos equivale à música
export-residual-lossy-tracks = Com todos os stems, a soma das faixas equivale à música
export-residual-select-files = Com todos os stems marcados, a soma dos arquivos é idêntica à música
export-residual-select-tracks = Com todos os stems marcados, a soma das faixas é idêntica à música
export-residual-files = A soma dos arquivos é idêntica à música
export-residual-tracks = A soma das faixas é idêntica à música

## Arquivos

export-folder = Pasta
export-choose-folder = Escolher…
export-if-exists = Se já existir
export-ask = Perguntar
export-keep-both = Manter ambos
export-replace = Substituir
export-skip = Pular
export-names = Nomes
export-pattern = Padrão dos nomes de arquivo
export-nothing-heard = Não se ouve nada: tudo está silenciado ou com o volume no mínimo

## Campos do padrão dos nomes de arquivo

export-field-artist = O artista
export-field-title = O título da música
export-field-album = O álbum
export-field-track = O número da música no álbum
export-field-stem = O conteúdo do arquivo: vocals, mix, residual
export-field-model = O modelo usado
export-field-number = O número do arquivo nesta exportação
export-field-file = O nome do arquivo da música
export-field-other = Uma propriedade da música

## Cartões

card-exporting = Exportando “{ $title }”…
card-done = Pronto: { $file }
card-done-files = Pronto: { $files } de “{ $title }”
card-nothing-written = Nenhum arquivo de “{ $title }” foi gravado
card-in-folder = Em { $folder }
card-gain-loudness = { $gain } em todos os arquivos, para atingir o loudness
card-gain-clipping = { $gain } em todos os arquivos, para evitar distorção
card-gain-small = Menos de 0,1 dB
card-exists = { $count ->
    [one] “{ $title }”: { $count } arquivo já existe
   *[other] “{ $title }”: { $count } arquivos já existem
}
card-failed = “{ $title }” não foi exportada
card-cancelled = Exportação cancelada
card-cancel = Cancelar a exportação
