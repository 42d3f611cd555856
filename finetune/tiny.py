"""The architecture of coach-tiny: a Qwen3-VL small enough to come in the box, and its tokenizer."""

import copy
from collections.abc import Iterable
from pathlib import Path

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2VLImageProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

END_OF_TEXT, END_OF_TURN, IMAGE = "<|endoftext|>", "<|im_end|>", "<|image_pad|>"
SPECIAL_TOKENS = (
    *(END_OF_TEXT, "<|im_start|>", END_OF_TURN),
    *("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", IMAGE, "<|video_pad|>"),
)
MAX_TOKENS = 4096
MIN_PIXELS, MAX_PIXELS = 64 * 64, 128 * 128
PATCH_PX, MERGE = 16, 2

# Qwen's own pattern: a digit is a token, so that a number is copied digit by digit. The id of a measure or a fault can
# become one token, so that quoting it is copying one token.
_WORDS = r"[^\r\n\p{L}\p{N}]?[a-z]+(?:_[a-z]+)+|(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

CHAT_TEMPLATE = """\
{%- for message in messages -%}
    {{- '<|im_start|>' + message.role + '\\n' -}}
    {%- if message.content is string -%}
        {%- set said = message.content -%}
    {%- else -%}
        {%- set said = message.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('') -%}
        {%- for part in message.content -%}
            {%- if part.type in ('image', 'image_url') -%}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if message.role == 'assistant' -%}
        {%- generation -%}{{- said + '<|im_end|>' -}}{%- endgeneration -%}
    {%- else -%}
        {{- said + '<|im_end|>' -}}
    {%- endif -%}
    {{- '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""


def train_tokenizer(texts: Iterable[str], vocab_size: int = 4096) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer learnt from texts, with Qwen's special tokens and one token per digit.

    Args:
        texts: What the model will read and write; any script, since unknown characters fall back to bytes.
        vocab_size: Number of tokens at most, the special ones included; at least 264.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END_OF_TURN,
        pad_token=END_OF_TEXT,
        extra_special_tokens=[token for token in SPECIAL_TOKENS if token not in (END_OF_TEXT, END_OF_TURN)],
        chat_template=CHAT_TEMPLATE,
        model_max_length=MAX_TOKENS,
        clean_up_tokenization_spaces=False,
    )


def tiny_config(
    tokenizer: PreTrainedTokenizerFast, *, width: int = 256, n_layers: int = 6, vision_width: int = 128
) -> Qwen3VLConfig:
    """Return the configuration of a model that reads and writes the tokens of `tokenizer`.

    Args:
        tokenizer: From `train_tokenizer`; the vocabulary is rounded up to a multiple of 64.
        width: Of the language model, a multiple of 64: heads are 64 wide, because attention on a CPU takes few sizes.
        n_layers: Of the language model.
        vision_width: Of the eye, a multiple of 32.
    """
    n_heads = width // 64
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL_TOKENS}
    return Qwen3VLConfig(
        text_config={
            "vocab_size": -(-len(tokenizer) // 64) * 64,
            "hidden_size": width,
            "intermediate_size": 3 * width,
            "num_hidden_layers": n_layers,
            "num_attention_heads": n_heads,
            "num_key_value_heads": max(1, n_heads // 2),
            "head_dim": 64,
            "max_position_embeddings": MAX_TOKENS,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [12, 10, 10],
                "mrope_interleaved": True,
            },
            "tie_word_embeddings": True,
            "eos_token_id": ids[END_OF_TURN],
            "pad_token_id": ids[END_OF_TEXT],
        },
        vision_config={
            "depth": 3,
            "hidden_size": vision_width,
            "intermediate_size": 4 * vision_width,
            "num_heads": vision_width // 32,
            "patch_size": PATCH_PX,
            "spatial_merge_size": MERGE,
            "out_hidden_size": width,
            "num_position_embeddings": MAX_PIXELS // PATCH_PX**2,
            "deepstack_visual_indexes": [0, 1],
        },
        image_token_id=ids[IMAGE],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
        tie_word_embeddings=True,
    )


def build(
    tokenizer: PreTrainedTokenizerFast, config: Qwen3VLConfig | None = None
) -> tuple[Qwen3VLForConditionalGeneration, Qwen3VLProcessor]:
    """Return a model with random weights in float32, and the processor that goes with it.

    Seed torch before for the same weights again.
    """
    model = Qwen3VLForConditionalGeneration(config or tiny_config(tokenizer))
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False
    )
    eye = {"patch_size": PATCH_PX, "merge_size": MERGE, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    size = {"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS}
    processor = Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size, **eye),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(size=size, **eye),
        chat_template=CHAT_TEMPLATE,
    )
    return model, processor


def save(
    model: Qwen3VLForConditionalGeneration,
    processor: Qwen3VLProcessor,
    folder: Path,
    dtype: torch.dtype = torch.float16,
) -> None:
    """Write model and processor as a folder that transformers and vLLM load; the model itself stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).to(dtype).save_pretrained(folder)
    processor.save_pretrained(folder)
