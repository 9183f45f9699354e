"""Settlement (核销, 驳回, 追回): what finance officers do with redemptions."""
