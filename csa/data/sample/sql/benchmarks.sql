-- Table `benchmarks`: invented, and the source says so.
select metric_id, name, value::double as value, valid_from, 'Invented for the sample company' as source
from (
    values
        ('gross_revenue_retention', 'Median of software firms', 0.90, date '2025-01-01'),
        ('net_revenue_retention', 'Median of software firms', 1.02, date '2025-01-01'),
        ('logo_churn_rate', 'Median of software firms, per month', 0.017, date '2025-01-01'),
        ('nps', 'Median of software firms', 32, date '2025-01-01'),
        ('csat', 'Median of software firms, 1 to 5', 4.1, date '2025-01-01'),
        ('first_response_hours', 'Median of software firms', 6.5, date '2025-01-01'),
        ('trial_to_paid', 'Median of software firms', 0.42, date '2025-01-01'),
        ('nps', 'Median of software firms', 34, date '2026-01-01'),
        ('gross_revenue_retention', 'Median of software firms', 0.91, date '2026-01-01')
) as t(metric_id, name, value, valid_from)
order by metric_id, valid_from
