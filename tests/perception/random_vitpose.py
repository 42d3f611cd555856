"""A ViTPose and an RT-DETR with random weights from small configurations: for shapes, not accuracy."""

from pathlib import Path


def write_vitpose(folder: Path) -> None:
    """Write a small ViTPose into `pose`, an RT-DETR into `detector`, and one that knows no persons into `blind`."""
    import torch
    from transformers import (
        RTDetrConfig,
        RTDetrForObjectDetection,
        RTDetrImageProcessor,
        VitPoseConfig,
        VitPoseForPoseEstimation,
        VitPoseImageProcessor,
    )

    torch.manual_seed(0)
    backbone = {
        "model_type": "vitpose_backbone",
        "hidden_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "image_size": [256, 192],
        "out_indices": [2],
    }
    VitPoseForPoseEstimation(VitPoseConfig(backbone_config=backbone, num_labels=17)).save_pretrained(folder / "pose")
    VitPoseImageProcessor().save_pretrained(folder / "pose")
    small = {
        "d_model": 32,
        "encoder_hidden_dim": 32,
        "encoder_in_channels": [16, 32, 64],
        "decoder_in_channels": [32, 32, 32],
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
        "decoder_layers": 1,
        "encoder_layers": 1,
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "num_queries": 10,
        "backbone_config": {
            "model_type": "rt_detr_resnet",
            "embedding_size": 8,
            "hidden_sizes": [8, 16, 32, 64],
            "depths": [1, 1, 1, 1],
            "layer_type": "basic",
            "out_features": ["stage2", "stage3", "stage4"],
        },
    }
    for name, labels in (("detector", {0: "person", 1: "bicycle"}), ("blind", {0: "cat", 1: "dog"})):
        RTDetrForObjectDetection(RTDetrConfig(**small, id2label=labels)).save_pretrained(folder / name)
        RTDetrImageProcessor(size={"height": 128, "width": 128}).save_pretrained(folder / name)
