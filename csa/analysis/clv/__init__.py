"""What a customer is worth, with and without a contract.

Under contract: `contract_value` values the customers of today by account, group and signup
cohort, `unit_economics` weighs that against the cost to win them, `concentration` says whose the
value is, `what_moved` what changed it, `realised_against_predicted` how an old day's value came
out.

Without a contract: `buyers` fits and judges the models, `value_buyers` values today's buyers and a
new one by the model chosen, `buyer_groups` tells which groups buy faster and which leave sooner,
`followed` holds it against the purchases week by week, `next_best`
names those expected to bring most; `buyers_by_opportunity` compares the models where purchases
can be made at fixed times only.
"""

from csa.analysis.clv.alive import alive_calibration
from csa.analysis.clv.buyer_groups import BuyerGroups, buyer_groups
from csa.analysis.clv.buyers import BuyersResult, buyers
from csa.analysis.clv.buyers_valued import Followed, ValuedBuyers, followed, value_buyers
from csa.analysis.clv.contract import ContractValue, contract_value
from csa.analysis.clv.contract_best import most_valuable
from csa.analysis.clv.contract_terms import ContractTerms
from csa.analysis.clv.economics import Acquisition, UnitEconomics, unit_economics
from csa.analysis.clv.economics_back import Realised, realised_against_predicted
from csa.analysis.clv.economics_change import ValueChange, what_moved
from csa.analysis.clv.economics_concentration import Concentration, concentration
from csa.analysis.clv.look_back import months_to_look_back
from csa.analysis.clv.opportunities import OpportunityBuyers, buyers_by_opportunity
from csa.analysis.clv.value import BuyerValue, next_best
from csa.analysis.clv.value_matrix import frequency_recency
from csa.analysis.clv.value_models import ValueTerms
from csa.analysis.clv.value_outcomes import with_outcomes
from csa.analysis.clv.value_shapes import buyer_concentration

__all__ = [
    "Acquisition",
    "BuyerGroups",
    "BuyerValue",
    "BuyersResult",
    "Concentration",
    "ContractTerms",
    "ContractValue",
    "Followed",
    "OpportunityBuyers",
    "Realised",
    "UnitEconomics",
    "ValueChange",
    "ValueTerms",
    "ValuedBuyers",
    "alive_calibration",
    "buyer_concentration",
    "buyer_groups",
    "buyers",
    "buyers_by_opportunity",
    "concentration",
    "contract_value",
    "followed",
    "frequency_recency",
    "months_to_look_back",
    "most_valuable",
    "next_best",
    "realised_against_predicted",
    "unit_economics",
    "value_buyers",
    "what_moved",
    "with_outcomes",
]
