; The installer for Windows: for the current user, without administrator's rights. packaging/windows.sh
; defines VERSION, NUMBERS (the version as four numbers), TREE, ICON and OUT. On removal, the data folder
; with the library and the weights stays.

Unicode true
!ifdef TARGET64
Target amd64-unicode
!endif
SetCompressor /SOLID lzma
Name "Partita"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Partita"
InstallDirRegKey HKCU "Software\Partita" "InstallDir"
RequestExecutionLevel user
ManifestDPIAware true
ManifestSupportedOS Win10
Icon "${ICON}"
UninstallIcon "${ICON}"
BrandingText "Partita ${VERSION}"
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "Partita"
VIAddVersionKey "FileDescription" "Partita's installer"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "MIT licence"

!include "MUI2.nsh"
!include "WinMessages.nsh"
!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\partita.exe"
!insertmacro MUI_PAGE_LICENSE "${TREE}\LICENCE.txt"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "PortugueseBR"

!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\Partita"
!define PROGRAM "Software\Classes\Applications\partita.exe"

Section
    SetOutPath "$INSTDIR"
    File /r "${TREE}\*.*"
    WriteUninstaller "$INSTDIR\uninstall.exe"
    CreateShortcut "$SMPROGRAMS\Partita.lnk" "$INSTDIR\partita.exe"
    WriteRegStr HKCU "Software\Partita" "InstallDir" "$INSTDIR"
    ; "Open with" lists the program for these files; it takes over none of them.
    WriteRegStr HKCU "${PROGRAM}" "FriendlyAppName" "Partita"
    WriteRegStr HKCU "${PROGRAM}\shell\open\command" "" '"$INSTDIR\partita.exe" "%1"'
    !macro READS EXTENSION
        WriteRegStr HKCU "${PROGRAM}\SupportedTypes" ".${EXTENSION}" ""
    !macroend
    !insertmacro READS aac
    !insertmacro READS aif
    !insertmacro READS aiff
    !insertmacro READS caf
    !insertmacro READS flac
    !insertmacro READS m4a
    !insertmacro READS mka
    !insertmacro READS mp3
    !insertmacro READS ogg
    !insertmacro READS opus
    !insertmacro READS wav
    WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "Partita"
    WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
    WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\partita.exe"
    WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The Partita developers"
    WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
    WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
    WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
    WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
    WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
    SectionGetSize 0 $0
    WriteRegDWORD HKCU "${UNINSTALL}" "EstimatedSize" $0
SectionEnd

Section "Uninstall"
    ; The file of a running program cannot be removed. Then nothing is, so that this can be repeated.
    ClearErrors
    Delete "$INSTDIR\partita.exe"
    IfErrors 0 removed
        MessageBox MB_OK|MB_ICONEXCLAMATION "Partita is running. Close it, then remove it again." /SD IDOK
        SetErrorLevel 2
        Quit
    removed:
    Delete "$INSTDIR\completions.ps1"
    Delete "$INSTDIR\README.txt"
    Delete "$INSTDIR\CHANGELOG.txt"
    Delete "$INSTDIR\LICENCE.txt"
    Delete "$INSTDIR\THIRD-PARTY.txt"
    Delete "$INSTDIR\uninstall.exe"
    ; Only if it is empty: it may hold other files.
    RMDir "$INSTDIR"
    Delete "$SMPROGRAMS\Partita.lnk"
    DeleteRegKey HKCU "${UNINSTALL}"
    DeleteRegKey HKCU "${PROGRAM}"
    DeleteRegKey HKCU "Software\Partita"
SectionEnd
