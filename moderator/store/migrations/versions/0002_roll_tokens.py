"""The roll's tokens are kept packed, by person; leavers match until a day. Tokens are made again from the sealed names when opened."""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table('roll_tokens')
    op.create_table('roll_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('evidence', sa.String(), nullable=False),
    sa.Column('digests', sa.LargeBinary(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_roll_tokens_school', 'roll_tokens', ['school'], unique=False)
    op.add_column('roll_entries', sa.Column('matches_until', sa.Date(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('roll_entries', schema=None) as batch_op:
        batch_op.drop_column('matches_until')
    op.drop_table('roll_tokens')
    op.create_table('roll_tokens',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school', sa.String(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('words', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('reference', sa.String(), nullable=False),
    sa.Column('strong', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('ix_roll_tokens_school', 'roll_tokens', ['school'], unique=False)
