-- Table `features`.
select feature, area, launched_on from m_feature order by number
