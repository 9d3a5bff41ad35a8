# Uso incorreto da linha de comando, e os títulos da ajuda.

## Títulos e notas da ajuda

usage-heading = Uso
usage-options-tag = OPÇÕES
usage-commands = Comandos
usage-arguments = Argumentos
usage-options = Opções
usage-default = padrão: { $value }
usage-possible-values = valores possíveis: { $values }
usage-alias = { $count ->
    [one] também: { $names }
   *[other] também: { $names }
}

## Erros

usage-error = erro
usage-unknown-argument = argumento inesperado: '{ $argument }'
usage-unknown-subcommand = subcomando desconhecido: '{ $subcommand }'
usage-required = faltam argumentos obrigatórios:
usage-repeated = o argumento '{ $argument }' não pode ser usado mais de uma vez
usage-conflict = o argumento '{ $argument }' não pode ser usado com '{ $other }'
usage-conflict-several = o argumento '{ $argument }' não pode ser usado com:
usage-conflict-unnamed = o argumento '{ $argument }' não pode ser usado com um ou mais dos outros argumentos
usage-value-missing = falta um valor para '{ $argument }'
usage-value-invalid = valor inválido '{ $value }' para '{ $argument }'
usage-value-unexpected = valor inesperado '{ $value }' para '{ $argument }'; nenhum outro era esperado
usage-tip = dica
usage-similar-argument = existe um argumento parecido: '{ $name }'
usage-similar-subcommand = { $count ->
    [one] existe um subcomando parecido: { $names }
   *[other] existem subcomandos parecidos: { $names }
}
usage-similar-value = existe um valor parecido: '{ $value }'
usage-as-value = para passar '{ $argument }' como valor, use '{ $command }'
usage-dashes = existe o subcomando '{ $subcommand }'; para usá-lo, remova o '{ $dashes }' antes dele
usage-exists = existe '{ $command }'
usage-more = Para mais informações, use '{ $option }'.

## Por que um valor é inválido

expected-integer = esperado um número inteiro
expected-number = esperado um número
expected-in-range = esperado um número em { $range }
expected-between = esperado um número de { $least } a { $most }
expected-choice = esperado { $choices } ou { $last }
expected-one-of = esperado um destes: { $choices }
expected-decimals = esperadas no máximo duas casas decimais
expected-rate = esperado source, ou um número de Hz de { $least } a { $most }
expected-gain = esperado um stem e decibéis, como vocals=-3
expected-decibels = esperado um número de dB, no máximo { $most }
expected-bytes = esperado um número de bytes, ou um número com K, M ou G, como 2G ou 1500M
expected-track = esperado o número de uma faixa de áudio, a partir de 1
expected-share = esperado I/N, como 3/8: a terceira de oito partes, contadas a partir de 1
expected-folder = esperada uma pasta relativa à pasta de saída, como rock/1994
expected-field = esperado um dos campos { $fields }
