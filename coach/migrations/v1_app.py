"""Lifts, chats, messages, feedback, pairs and votes."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "app_lifts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_lifts"),
    )
    op.create_index("ix_app_lifts_owner", "app_lifts", ["owner"])
    op.create_table(
        "app_chats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lift_id", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_chats"),
        sa.ForeignKeyConstraint(
            ["lift_id"], ["app_lifts.id"], name="fk_app_chats_lift_id_app_lifts", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("lift_id", "owner", name="uq_app_chats_lift_owner"),
    )
    op.create_table(
        "app_messages",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chat_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_messages"),
        sa.ForeignKeyConstraint(
            ["chat_id"], ["app_chats.id"], name="fk_app_messages_chat_id_app_chats", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("chat_id", "place", "version", name="uq_app_messages_place"),
    )
    op.create_table(
        "app_feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(12), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_feedback"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["app_messages.id"], name="fk_app_feedback_message_id_app_messages", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_app_feedback_message_id", "app_feedback", ["message_id"])
    op.create_table(
        "app_pairs",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(80), nullable=False),
        sa.Column("lift_id", sa.String(32), nullable=True),
        sa.Column("first", sa.JSON(), nullable=False),
        sa.Column("second", sa.JSON(), nullable=False),
        sa.Column("first_name", sa.String(120), nullable=False),
        sa.Column("second_name", sa.String(120), nullable=False),
        sa.Column("is_swapped", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_pairs"),
        sa.ForeignKeyConstraint(
            ["lift_id"], ["app_lifts.id"], name="fk_app_pairs_lift_id_app_lifts", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_app_pairs_owner", "app_pairs", ["owner"])
    op.create_table(
        "app_votes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.String(64), nullable=False),
        sa.Column("rater", sa.String(80), nullable=False),
        sa.Column("choice", sa.String(12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_app_votes"),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["app_pairs.id"], name="fk_app_votes_pair_id_app_pairs", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_app_votes_pair_id", "app_votes", ["pair_id"])
