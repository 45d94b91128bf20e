"""What FFmpeg may do with a file: which containers it may take it for, and which decoders it may give its bytes to."""

# Only demuxers of one self-contained file: no playlists, no images, nothing that opens a second file or an address.
DEMUXERS = "aac,aiff,asf,au,avi,caf,flac,matroska,webm,mov,mp4,m4a,mp3,ogg,w64,wav,wv"
#: Decoders of what music and speech are kept in. FFmpeg has some two hundred, most of them of old games and telephones,
#: little used and little tested, and a file's header picks among all that it is not kept from.
DECODERS = (
    *("aac", "aac_latm", "ac3", "alac", "ape", "dca", "eac3", "flac", "mlp", "truehd", "tta", "wavpack"),
    *("mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "speex", "vorbis"),
    *("wmalossless", "wmapro", "wmav1", "wmav2", "wmavoice"),
    *("adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf", "adpcm_yamaha", "g722", "g726", "g726le"),
    *("amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb", "gsm", "gsm_ms", "mace3", "mace6", "nellymoser"),
    *("pcm_alaw", "pcm_mulaw", "pcm_s8", "pcm_s8_planar", "pcm_u8", "pcm_f16le", "pcm_f24le"),
    *(f"pcm_{kind}{bits}{order}" for kind in "su" for bits in (16, 24, 32) for order in ("be", "le")),
    *(f"pcm_s{bits}le_planar" for bits in (16, 24, 32)),
    *("pcm_s16be_planar", "pcm_s64be", "pcm_s64le", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le"),
)
MAGIC = {
    b"RIFF": "WAV",
    b"OggS": "Ogg",
    b"fLaC": "FLAC",
    b"ID3": "MP3",
    b"\x1aE\xdf\xa3": "WebM",
    b"FORM": "AIFF",
}


def kind_of(start: bytes) -> str | None:
    """What a file's first bytes say that it is, for a sentence."""
    if start[4:8] == b"ftyp":
        return "M4A or MP4"
    return next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
