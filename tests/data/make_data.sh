#!/bin/sh
# Creates the audio files of this folder; written with ffmpeg 5.1 (libmp3lame 3.100, libvorbis
# 1.3.7, libopus 1.3.1, ffmpeg's own AAC and ALAC). The bytes may differ between runs, because the
# tests compare decoded samples with the formula below.
#
# The sound: 0.2 s, two chirps that swell and fade, `chirp` in tests/decode.rs.
#   left   0.5 sin(2π(200 t + 3000 t²)) sin(π t / 0.2)
#   right  0.4 sin(2π(3000 t - 2000 t²)) sin(π t / 0.2)
set -eu
cd "$(dirname "$0")"
mono='pan=mono|c0=0.5*c0+0.5*c1'

chirp() { # RATE, then ffmpeg's output options
    rate=$1
    shift
    swell='sin(PI*t/0.2)'
    left="0.5*sin(2*PI*(200*t+3000*t*t))*$swell"
    right="0.4*sin(2*PI*(3000*t-2000*t*t))*$swell"
    ffmpeg -v error -y -f lavfi -i "aevalsrc=$left|$right:s=$rate:d=0.2" \
        -map_metadata -1 -fflags +bitexact -flags:a +bitexact "$@"
}

chirp 44100 -c:a flac -sample_fmt s16 -frame_size 1152 chirp.flac
chirp 48000 -c:a flac -sample_fmt s32 -bits_per_raw_sample 24 chirp-24-48k.flac
chirp 35467 -af "$mono" -c:a flac -sample_fmt s16 chirp-mono-35467.flac
chirp 44100 -c:a libmp3lame -q:a 2 chirp-plain.mp3
ffmpeg -v error -y -f lavfi -i color=orange:s=16x16 -frames:v 1 cover.png
ffmpeg -v error -y -i chirp-plain.mp3 -i cover.png -map 0:a -map 1:v -c copy -id3v2_version 3 \
    -metadata title='Тест 試験 🎵' -metadata artist='Ärtist' -metadata album='Album' \
    -disposition:v attached_pic -metadata:s:v comment='Cover (front)' chirp.mp3
rm chirp-plain.mp3 cover.png
chirp 44100 -af "$mono" -c:a libmp3lame -b:a 64k -write_xing 0 -id3v2_version 0 bare-44k.mp3
chirp 48000 -af "$mono" -c:a libmp3lame -b:a 64k -write_xing 0 -id3v2_version 0 bare-48k.mp3
chirp 44100 -c:a aac -b:a 160k -movflags +faststart -metadata title='In MP4' chirp.m4a
chirp 44100 -c:a alac -sample_fmt s16p chirp-alac.m4a # the index is at the end
chirp 44100 -c:a aac -b:a 160k chirp.aac
chirp 44100 -c:a libvorbis -q:a 6 -page_duration 20000 -metadata title='In Ogg' chirp.ogg
chirp 48000 -c:a libopus -b:a 128k chirp.opus
chirp 44100 -c:a libvorbis -q:a 6 -metadata artist='In Matroska' chirp.mka
chirp 48000 -c:a libopus -b:a 128k chirp.webm
# HE-AAC with implicit signalling, in both containers.
chirp 22050 -c:a aac -b:a 96k lc.aac
python3 make_he_aac.py lc.aac chirp-he.aac
ffmpeg -v error -y -i chirp-he.aac -c copy -fflags +bitexact chirp-he.m4a
rm lc.aac
chirp 44100 -c:a alac -sample_fmt s16p chirp-alac.mov # QuickTime keeps the settings elsewhere
# Two tracks with the left and the right chirp; the second is the default.
chirp 44100 both.wav
for container in mka mp4; do
    ffmpeg -v error -y -i both.wav -map 0:a -map 0:a -fflags +bitexact -flags:a +bitexact \
        -filter:a:0 'pan=mono|c0=c0' -filter:a:1 'pan=mono|c0=c1' -c:a flac -strict -2 \
        -metadata:s:a:0 language=eng -metadata:s:a:1 language=por -metadata:s:a:1 title=Direita \
        -disposition:a:0 0 -disposition:a:1 default two-tracks.$container
done
rm both.wav
chirp 22050 -c:a pcm_s16be chirp-22k.aiff
chirp 22050 -c:a pcm_s16le chirp-22k.caf
chirp 44100 -c:a mp2 -b:a 256k chirp.mp2
chirp 8000 -af "$mono" -c:a pcm_mulaw chirp-mono-8k-mulaw.wav
# 5.1 with the right chirp on the centre, and the left one on the other channels at different
# levels.
chirp 16000 -af 'pan=5.1|FL=c0|FR=0.5*c0|FC=c1|LFE=c0|BL=0.25*c0|BR=0.125*c0' \
    -c:a flac -sample_fmt s16 chirp-5.1-16k.flac
chirp 44100 -af 'pan=5.1|FL=c0|FR=c0|FC=c1|LFE=c0|BL=c0|BR=c0' -c:a libvorbis -q:a 0 chirp-5.1.ogg
# Two audio tracks: the chirps, and, as the default track, the chirps with swapped channels.
left='0.5*sin(2*PI*(200*t+3000*t*t))*sin(PI*t/0.2)'
right='0.4*sin(2*PI*(3000*t-2000*t*t))*sin(PI*t/0.2)'
ffmpeg -v error -y -f lavfi -i "aevalsrc=$left|$right:s=48000:d=0.2" \
    -f lavfi -i "aevalsrc=$right|$left:s=48000:d=0.2" -map 0:a -map 1:a -c:a libvorbis -q:a 6 \
    -map_metadata -1 -fflags +bitexact -flags:a +bitexact \
    -metadata:s:a:0 language=eng -disposition:a:0 0 \
    -metadata:s:a:1 language=por -metadata:s:a:1 title=Exchanged -disposition:a:1 default \
    chirp-two-tracks.mka
