"""The other eight systems of Hamidi et al.'s Table 1, one paper a file; all take mels in dB and give logits."""
