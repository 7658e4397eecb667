"""What a customer is worth, with and without a contract.

Under contract: `contract_value` values the customers of today by account, group and signup
cohort, `unit_economics` weighs that against the cost to win them, `concentration` says whose the
value is, `what_moved` what changed it, `realised_against_predicted` how an old day's value came
out.
"""

from csa.analysis.clv.contract import ContractValue, contract_value
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.economics import Acquisition, UnitEconomics, unit_economics
from csa.analysis.clv.economics_back import Realised, realised_against_predicted
from csa.analysis.clv.economics_change import ValueChange, what_moved
from csa.analysis.clv.economics_concentration import Concentration, concentration

__all__ = [
    "Acquisition",
    "Concentration",
    "ContractTerms",
    "ContractValue",
    "Realised",
    "UnitEconomics",
    "ValueChange",
    "concentration",
    "contract_value",
    "realised_against_predicted",
    "unit_economics",
    "what_moved",
]
