-- Table `measurements`: what no other table can give, every quarter. n, low and high where counted.
with metrics(metric_id, start, slope, noise, n, source, low_cap, high_cap) as (
    values
        ('market_share', 0.041, 0.0009, 0.0008, null, 'Market study, yearly estimate', 0, 1),
        ('competitive_win_rate', 0.38, 0.007, 0.02, 60, 'Sales: closed deals with a named rival', 0, 1),
        ('customer_reference_requests', 9, 0.6, 1.5, null, 'Sales: requests per quarter', 0, 1000),
        ('industry_awards', 0, 0.12, 0.3, null, 'Marketing: count of the year so far', 0, 20),
        ('platform_availability', 0.9978, 0.00006, 0.0003, null, 'Operations: minutes up', 0, 1),
        ('page_load_seconds', 2.9, -0.04, 0.1, 4000, 'Operations: 75th percentile', 0.2, 20),
        ('employee_engagement', 0.66, 0.005, 0.02, 85, 'Yearly and quarterly staff survey', 0, 1),
        ('decision_days', 16, -0.4, 1.0, 24, 'Minutes of the steering group', 1, 90),
        ('manual_report_hours', 46, -2.0, 2.0, null, 'Time sheets of the analysts, per month', 1, 200),
        ('team_capacity_utilisation', 0.81, 0.003, 0.02, null, 'Time sheets', 0, 1.2),
        ('stakeholder_confidence', 3.2, 0.045, 0.08, 30, 'Survey of report readers, 1 to 5', 1, 5),
        ('process_compliance', 0.78, 0.008, 0.015, 120, 'Audit sample', 0, 1)
),
valued as (
    select
        metric_id, n, source, (date '2022-01-31' + to_months((3 * q)::int))::date as measured_on,
        greatest(low_cap, least(high_cap,
            start + slope * q + noise * normal(hash(metric_id), 'measured', q))) as value
    from metrics, unnest(range(20)) as quarters(q)
)
select
    metric_id, last_day(measured_on) as measured_on, round(value, 5) as value, n::bigint as n,
    case when n is not null and value between 0 and 1
        then round(greatest(0, value - 1.96 * sqrt(value * (1 - value) / n)), 5) end as low,
    case when n is not null and value between 0 and 1
        then round(least(1, value + 1.96 * sqrt(value * (1 - value) / n)), 5) end as high,
    null::varchar as segment, source
from valued
where last_day(measured_on) <= date '2026-10-31'
order by metric_id, measured_on
