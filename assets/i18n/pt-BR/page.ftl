# The web page of `partita serve`, for what the window does not have.

## Access

page-token-title = Este Partita pede um token
page-token-text = Ele aparece onde “partita serve” foi iniciado, no fim do link
page-token = Token de acesso
page-token-open = Abrir
page-sign-out = Sair

## Connection

page-offline = Conexão perdida; tentando de novo…
page-unreachable = Não foi possível acessar o servidor
page-refused = O servidor respondeu com o erro { $status }
page-unsaved = Não foi possível salvar os ajustes do mixer

## Parts of the page, for screen readers

page-skip = Ir para a música
page-library = Biblioteca
page-songs = Músicas
page-uploads = Envios
page-instruments = Instrumentos
page-lanes = Faixas
page-player = Reprodução
page-exports = Exportações
page-monitor = Mix ou original
page-back = Voltar à biblioteca
page-actions = Ações para { $title }
page-position = { $time } de { $whole }

## Library

page-empty-line = Voz, bateria, baixo e o resto, separados no servidor
page-more = Mostrar mais músicas
page-no-model = Ainda não há nenhum modelo instalado
page-models = Modelos
page-installing = Instalação de { $name }
page-remove-model-text = Os pesos são apagados no servidor. Os stems feitos com eles ficam.
page-remove-title = Remover “{ $title }”?
page-remove-text = A música e seus stems são apagados no servidor. Não é possível desfazer.
page-reset-text = Isto apaga { $what } no servidor, com todos os stems e exportações. Os modelos e as configurações são mantidos. Não é possível desfazer.

## Uploads

page-uploading = Enviando, { $percent } de { $size }
page-upload-retrying = Interrompido; tentando de novo…
page-upload-progress = Progresso de { $name }
page-upload-failed = Falha no envio de { $name }: { $problem }
page-cancel-upload = Cancelar o envio de { $name }
page-retry = Tentar { $name } de novo
page-unfinished = { $count ->
    [one] Escolha o arquivo de novo para concluir o envio: { $names }
   *[other] Escolha os arquivos de novo para concluir os envios: { $names }
}

## Song and export

page-takes-about = Leva cerca de { $time }
page-download = Baixar { $stem }
page-download-all = Baixar tudo em ZIP
page-close-export = Fechar a exportação de “{ $title }”
page-remove-exports = Remover as exportações concluídas

## Key and speed

page-key-speed-reset = Tom e velocidade originais
page-key-speed-insecure = Navegadores só mudam tom e velocidade por HTTPS, ou no computador do servidor
page-no-shifter = O navegador não consegue mudar tom e velocidade: { $problem }

## Shortcuts

page-in-list = Na lista de músicas
page-find-title = Ir para um título
page-song-menu = Abrir o menu da música
