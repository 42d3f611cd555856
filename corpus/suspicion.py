"""Passages that speak to a machine rather than to a lifter: kept as text, shown to the reviewer."""

import re

_TARGETS = r"(?:measure\w*|instruction\w*|rule\w*|prompt\w*|guideline\w*|fact\w*|number\w*|data|everything|above|polic\w+|check\w*)"
_INSTRUCTIONS = (
    rf"\b(?:ignore|disregard|forget|override|bypass)\b[^.!?\n]{{0,40}}\b{_TARGETS}",
    r"\byou are (?:now|no longer)\b|\b(?:pretend|act as if) you\b|\bas an ai\b",
    r"\b(?:system|developer) (?:prompt|message|instruction)s?\b|\bjailbreak\b",
    r"\b(?:do not|don't|never) (?:tell|mention|reveal|show)\b[^.!?\n]{0,30}\b(?:user|athlete|coach|reviewer|prompt)\b",
    r"<\|?/?(?:im_start|im_end|system|endoftext|vision_start|image_pad)\b[^>]*>|\[/?INST\]|(?<![^\n])(?:system|assistant)\s*[:：]",
    r"(?:忽略|无视|無視|不要理会|不要理會|不用管|忘记|忘記|忘掉)[^。！？\n]{0,20}(?:测量|測量|指示|指令|规则|規則|提示|数据|數據|數字|数字|以上|前面|所有)",
    r"(?:你(?:现在|現在)(?:是一|扮演)|你不再是|假装你是|假裝你是|系统提示|系統提示|开发者模式|開發者模式)",
)
_FIRST = r"(?=[idfobypasjn<\[忽无無不忘你假系开開])"  # letters they begin with, tried first for speed
_INSTRUCTION = re.compile(f"{_FIRST}(?:{'|'.join(_INSTRUCTIONS)})", re.IGNORECASE)
_FORMULA = re.compile(r"(?:^|[\s:：\"“])(=[^\s=].*|[@+-][A-Za-z][\w.]*[(|!].*)")


def suspicions(text: str) -> tuple[str, ...]:
    """Return what a reviewer should look at in a text, each as a short sentence; most texts have none.

    A list of known phrases, not a guarantee: whatever it misses is still only text to the prompts, and `check` stands
    behind them.
    """
    found = []
    if said := _INSTRUCTION.search(text):
        found.append(f"reads like an instruction to the model: “{' '.join(said.group().split())[:60]}”")
    if said := _FORMULA.search(text):
        found.append(f"holds a spreadsheet formula, kept as text: “{said.group(1)[:40]}”")
    return tuple(found)
