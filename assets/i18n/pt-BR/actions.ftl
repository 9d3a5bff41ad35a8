# Os comandos da janela: o texto do botão e uma dica de uma frase, sem ponto final.

## Reprodução

action-play-pause = Reproduzir ou pausar
    .tooltip = Reproduzir ou pausar
action-back = Voltar
    .tooltip = Voltar cinco segundos
action-forward = Avançar
    .tooltip = Avançar cinco segundos
action-to-start = Ir para o início
    .tooltip = Ir para o início da música
action-to-end = Ir para o fim
    .tooltip = Ir para o fim da música
action-stop = Parar a reprodução
    .tooltip = Parar e voltar para onde a reprodução começou
action-toggle-loop = Loop
    .tooltip = Ligar ou desligar o loop
action-clear-loop = Remover o loop
    .tooltip = Remover os marcadores do loop
action-loop-from = Início do loop aqui
    .tooltip = Começar o loop no cursor
action-loop-to = Fim do loop aqui
    .tooltip = Terminar o loop no cursor
action-slower = Mais devagar
    .tooltip = Reproduzir mais devagar no mesmo tom
action-faster = Mais rápido
    .tooltip = Reproduzir mais rápido no mesmo tom
action-key-down = Tom mais grave
    .tooltip = Reproduzir um semitom abaixo na mesma velocidade
action-key-up = Tom mais agudo
    .tooltip = Reproduzir um semitom acima na mesma velocidade
action-cents-down = Afinar para baixo
    .tooltip = Reproduzir 5 cents abaixo na mesma velocidade
action-cents-up = Afinar para cima
    .tooltip = Reproduzir 5 cents acima na mesma velocidade
action-quieter = Diminuir o volume
    .tooltip = Diminuir o volume
action-louder = Aumentar o volume
    .tooltip = Aumentar o volume

## Pistas e visualização

action-compare = Original
    .tooltip = Ouvir o original; segure a tecla para comparar
action-next-version = Próxima versão
    .tooltip = Mostrar a próxima versão dos stems
action-solo = Solo
    .tooltip = Ouvir só esta pista
action-mute = Silenciar
    .tooltip = Silenciar esta pista
action-zoom-in = Aumentar o zoom
    .tooltip = Ampliar as formas de onda
action-zoom-out = Diminuir o zoom
    .tooltip = Reduzir as formas de onda
action-whole-song = Música inteira
    .tooltip = Mostrar a música inteira
action-page-back = Rolar para trás
    .tooltip = Rolar as formas de onda para trás
action-page-forward = Rolar para a frente
    .tooltip = Rolar as formas de onda para a frente

## Músicas e tarefas

action-previous-song = Música anterior
    .tooltip = Selecionar a música acima
action-next-song = Próxima música
    .tooltip = Selecionar a música abaixo
action-add-files = Escolher arquivos…
    .tooltip = Adicionar músicas à biblioteca
action-add-folder = Escolher uma pasta…
    .tooltip = Adicionar as músicas de uma pasta
action-search = Buscar
    .tooltip = Buscar na biblioteca
action-rename = Renomear
    .tooltip = Mudar o título da música; o arquivo não muda
action-select-all = Selecionar todas as músicas
    .tooltip = Selecionar todas as músicas da lista
action-undo = Desfazer
    .tooltip = Restaurar as músicas removidas por último
action-process = Processar
    .tooltip = Separar os instrumentos da música
action-cancel-job = Cancelar
    .tooltip = Parar; as partes prontas são mantidas
action-export = Exportar…
    .tooltip = Salvar a mix ou os stems em arquivos
action-open-jobs = Tarefas
    .tooltip = Mostrar todas as tarefas e seus resultados

## Modelo e janela

action-install-model = Instalar
    .tooltip = Aceitar estes termos e baixar o modelo
action-choose-model = Escolher um arquivo…
    .tooltip = Usar um arquivo de modelo que você tem
action-cancel-install = Parar
    .tooltip = Parar o download; o que já foi baixado é mantido
action-open-settings = Configurações
    .tooltip = Abrir as configurações
action-toggle-theme = Escuro ou claro
    .tooltip = Alternar entre escuro e claro
action-fold-library = Recolher a biblioteca
    .tooltip = Recolher ou mostrar a biblioteca
action-help = Atalhos
    .tooltip = Listar todos os atalhos
