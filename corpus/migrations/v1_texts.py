"""Documents, passages, reviews and duplicates."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the tables, and let nobody change a review."""
    op.create_table(
        "corpus_documents",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("licence", sa.Text()),
        sa.Column("url", sa.Text()),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corpus_documents"),
        sa.UniqueConstraint("sha256", name="uq_corpus_documents_sha256"),
    )
    op.create_table(
        "corpus_passages",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.String(64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("language", sa.String(12), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("licence", sa.Text()),
        sa.Column("athlete", sa.Text()),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corpus_passages"),
        sa.UniqueConstraint("number", name="uq_corpus_passages_number"),
        _refers("corpus_passages", "document_id", "corpus_documents"),
    )
    op.create_index("ix_corpus_passages_document_id", "corpus_passages", ["document_id"])
    op.create_index("ix_corpus_passages_sha256", "corpus_passages", ["sha256"])
    op.create_index("ix_corpus_passages_status_number", "corpus_passages", ["status", "number"])
    op.create_table(
        "corpus_reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("passage_id", sa.String(64), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(12), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text_before", sa.Text(), nullable=False),
        sa.Column("text_after", sa.Text(), nullable=False),
        sa.Column("tags_before", sa.JSON(), nullable=False),
        sa.Column("tags_after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_corpus_reviews"),
        _refers("corpus_reviews", "passage_id", "corpus_passages"),
    )
    op.create_index("ix_corpus_reviews_passage_id", "corpus_reviews", ["passage_id"])
    op.create_table(
        "corpus_duplicates",
        sa.Column("passage_id", sa.String(64), nullable=False),
        sa.Column("other_id", sa.String(64), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("passage_id", "other_id", name="pk_corpus_duplicates"),
        _refers("corpus_duplicates", "passage_id", "corpus_passages"),
        _refers("corpus_duplicates", "other_id", "corpus_passages"),
    )
    op.create_index("ix_corpus_duplicates_other_id", "corpus_duplicates", ["other_id"])
    _forbid_changes("corpus_reviews")


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")


def _forbid_changes(table: str) -> None:
    said = "reviews are only ever added"
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_stay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{said}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_stay()"
    )
